//! Parsed commands: where the arguments of each lie.
//!
//! An argument is not copied. [`Arg`] says in eight bytes where it is:
//!
//! ```text
//!     top bits of `len`   the bytes are
//!     00                  in the buffer that was parsed, at `start`
//!     01                  in the batch's `unescaped`, at `start`: a quoted word of an inline command
//!     10                  the `start`-th of the batch's `bigs`: a value that was received apart
//! ```
//!
//! 1. The frames of a batch are in the order in which they arrived; their arguments are consecutive
//!    in `args`, in the same order.
//! 2. A batch is only meaningful with the buffer that it was parsed from, unchanged.
//! 3. A big value is behind an `Arc`, so that a handler keeps it, and a reply sends it, uncopied.

use std::fmt;
use std::ops::{Index, Range};
use std::sync::Arc;

/// Where one argument lies; see the module's table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Arg {
    start: u32,
    len: u32,
}

const KIND: u32 = 0b11 << 30;
const UNESCAPED: u32 = 0b01 << 30;
const BIG: u32 = 0b10 << 30;

impl Arg {
    /// Both numbers are below 2^30 (`MAX_OFFSET` sees to it).
    #[inline]
    pub(crate) fn in_buffer(start: usize, len: usize) -> Arg {
        debug_assert!(start < 1 << 30 && len < 1 << 30);
        Arg { start: start as u32, len: len as u32 }
    }

    pub(crate) fn unescaped(start: usize, len: usize) -> Arg {
        Arg { start: start as u32, len: len as u32 | UNESCAPED }
    }

    pub(crate) fn big(number: usize) -> Arg {
        Arg { start: number as u32, len: BIG }
    }

    #[inline]
    fn kind(self) -> u32 {
        self.len & KIND
    }

    #[inline]
    fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + (self.len & !KIND) as usize
    }

    /// The same argument after its buffer lost `bytes` at its front.
    pub(crate) fn moved_down(self, bytes: usize) -> Arg {
        match self.kind() {
            0 => Arg { start: self.start - bytes as u32, ..self },
            _ => self,
        }
    }
}

impl fmt::Debug for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            0 => write!(f, "{:?}", self.range()),
            UNESCAPED => write!(f, "unescaped {:?}", self.range()),
            _ => write!(f, "big {}", self.start),
        }
    }
}

/// One command of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandFrame {
    /// Its first byte in the buffer. `buffer[start] != b'*'` says that it came inline.
    pub start: u32,
    /// The offset just after it in the buffer.
    pub end: u32,
    /// Its first argument, the command's name, among the batch's.
    pub first_arg: u32,
    /// How many arguments it has with its name: at least one.
    pub argc: u32,
}

/// The commands that were parsed from a buffer. Its vectors are scratch, kept from one call of
/// [`parse`](crate::parse) to the next.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(crate) args: Vec<Arg>,
    pub(crate) frames: Vec<CommandFrame>,
    pub(crate) unescaped: Vec<u8>,
    pub(crate) bigs: Vec<Arc<Vec<u8>>>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// How many commands it has.
    #[inline]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether it has none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Its commands in the order of their arrival.
    #[inline]
    pub fn commands(&self) -> &[CommandFrame] {
        &self.frames
    }

    /// The arguments of its `command`-th command, parsed from `buffer`.
    #[inline]
    pub fn args<'a>(&'a self, buffer: &'a [u8], command: usize) -> Args<'a> {
        let frame = self.frames[command];
        let first = frame.first_arg as usize;
        Args {
            buffer,
            args: &self.args[first..first + frame.argc as usize],
            unescaped: &self.unescaped,
            bigs: &self.bigs,
        }
    }

    /// Forgets its commands and lets go of big values. Call it once they are executed, so that a big
    /// value has no owner but whoever kept it. Scratch that one huge command has blown up is freed.
    pub fn clear(&mut self) {
        self.args.clear();
        self.frames.clear();
        self.unescaped.clear();
        self.bigs.clear();
        const KEPT: usize = 64 * 1024;
        self.args.shrink_to(KEPT / size_of::<Arg>());
        self.frames.shrink_to(KEPT / size_of::<CommandFrame>());
        self.unescaped.shrink_to(KEPT);
    }

    /// The commands from the `first`-th on in a form of their own, for another core.
    pub fn to_owned(&self, buffer: &[u8], first: usize) -> OwnedBatch {
        let Some(&head) = self.frames.get(first) else { return OwnedBatch::default() };
        let (from, first_arg) = (head.start as usize, head.first_arg);
        let to = self.frames[self.frames.len() - 1].end as usize;
        let frames = self.frames[first..].iter().map(|frame| CommandFrame {
            start: frame.start - head.start,
            end: frame.end - head.start,
            first_arg: frame.first_arg - first_arg,
            argc: frame.argc,
        });
        OwnedBatch {
            bytes: buffer[from..to].to_vec(),
            batch: Batch {
                args: self.args[first_arg as usize..].iter().map(|arg| arg.moved_down(from)).collect(),
                frames: frames.collect(),
                unescaped: self.unescaped.clone(),
                bigs: self.bigs.clone(),
            },
        }
    }
}

/// Commands together with their bytes: what travels to another core, waits in a MULTI queue, or was
/// put together by a script.
#[derive(Clone, Debug, Default)]
pub struct OwnedBatch {
    bytes: Vec<u8>,
    batch: Batch,
}

impl OwnedBatch {
    /// No commands.
    pub fn new() -> OwnedBatch {
        OwnedBatch::default()
    }

    /// One command of these arguments.
    pub fn of<A: AsRef<[u8]>>(args: &[A]) -> OwnedBatch {
        let mut owned = OwnedBatch::default();
        owned.push_args(args.iter().map(|arg| (arg.as_ref(), None)));
        owned
    }

    /// How many commands it has.
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Appends a command; big values are shared, all else is copied.
    pub fn push(&mut self, args: Args<'_>) {
        self.push_args((0..args.len()).map(|i| (args.get(i), args.shared(i))));
    }

    /// The arguments of its `command`-th command.
    pub fn args(&self, command: usize) -> Args<'_> {
        self.batch.args(&self.bytes, command)
    }

    /// Bytes that it keeps in memory, big values included.
    pub fn memory(&self) -> usize {
        self.bytes.capacity()
            + self.batch.args.capacity() * size_of::<Arg>()
            + self.batch.frames.capacity() * size_of::<CommandFrame>()
            + self.batch.unescaped.capacity()
            + self.batch.bigs.iter().map(|big| big.len()).sum::<usize>()
    }

    fn push_args<'a>(&mut self, args: impl Iterator<Item = (&'a [u8], Option<Arc<Vec<u8>>>)>) {
        let (start, first_arg) = (self.bytes.len(), self.batch.args.len());
        for (bytes, shared) in args {
            let arg = match shared {
                Some(value) => {
                    self.batch.bigs.push(value);
                    Arg::big(self.batch.bigs.len() - 1)
                }
                None => {
                    let at = self.bytes.len();
                    self.bytes.extend_from_slice(bytes);
                    assert!(
                        self.bytes.len() <= crate::MAX_OFFSET,
                        "commands kept for later outgrow an offset"
                    );
                    Arg::in_buffer(at, bytes.len())
                }
            };
            self.batch.args.push(arg);
        }
        let argc = self.batch.args.len() - first_arg;
        assert!(argc > 0, "a command has a name");
        self.batch.frames.push(CommandFrame {
            start: start as u32,
            end: self.bytes.len() as u32,
            first_arg: first_arg as u32,
            argc: argc as u32,
        });
    }
}

/// One command as its handler sees it. `args[0]` is its name.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    buffer: &'a [u8],
    args: &'a [Arg],
    unescaped: &'a [u8],
    bigs: &'a [Arc<Vec<u8>>],
}

impl<'a> Args<'a> {
    /// How many arguments there are, the name included.
    #[inline]
    #[allow(clippy::len_without_is_empty)] // a command has a name
    pub fn len(&self) -> usize {
        self.args.len()
    }

    /// The `i`-th argument. Panics if there are fewer: the arity was checked before the handler ran.
    #[inline]
    pub fn get(&self, i: usize) -> &'a [u8] {
        self.bytes(self.args[i])
    }

    /// The `i`-th argument, if there are so many.
    #[inline]
    pub fn try_get(&self, i: usize) -> Option<&'a [u8]> {
        self.args.get(i).map(|&arg| self.bytes(arg))
    }

    /// The `i`-th argument by reference, if it was big enough to be received apart. A handler that
    /// stores a value asks this first; on `None` it copies.
    #[inline]
    pub fn shared(&self, i: usize) -> Option<Arc<Vec<u8>>> {
        let arg = self.args[i];
        (arg.kind() == BIG).then(|| Arc::clone(&self.bigs[arg.start as usize]))
    }

    /// All arguments in order, the name first.
    #[inline]
    pub fn iter(&self) -> ArgsIter<'a> {
        ArgsIter { args: *self, next: 0 }
    }

    /// The arguments from the `first`-th on.
    #[inline]
    pub fn from(&self, first: usize) -> Args<'a> {
        Args { args: &self.args[first..], ..*self }
    }

    #[inline]
    fn bytes(&self, arg: Arg) -> &'a [u8] {
        if arg.kind() == 0 {
            return &self.buffer[arg.range()];
        }
        self.bytes_elsewhere(arg)
    }

    #[cold]
    fn bytes_elsewhere(&self, arg: Arg) -> &'a [u8] {
        match arg.kind() {
            UNESCAPED => &self.unescaped[arg.range()],
            _ => &self.bigs[arg.start as usize],
        }
    }
}

impl Index<usize> for Args<'_> {
    type Output = [u8];

    #[inline]
    fn index(&self, i: usize) -> &[u8] {
        self.get(i)
    }
}

impl<'a> IntoIterator for Args<'a> {
    type Item = &'a [u8];
    type IntoIter = ArgsIter<'a>;

    fn into_iter(self) -> ArgsIter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Args<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|arg| String::from_utf8_lossy(arg))).finish()
    }
}

/// The arguments of a command in order.
#[derive(Clone)]
pub struct ArgsIter<'a> {
    args: Args<'a>,
    next: usize,
}

impl<'a> Iterator for ArgsIter<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let found = self.args.try_get(self.next)?;
        self.next += 1;
        Some(found)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.args.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for ArgsIter<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{parse, Limits, Partial};

    #[test]
    fn a_place_takes_eight_bytes() {
        assert_eq!(size_of::<Arg>(), 8);
        assert_eq!(size_of::<CommandFrame>(), 16);
    }

    #[test]
    fn the_rest_of_a_batch_travels_with_its_bytes() {
        let buffer = b"PING\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\nSET \"b \\x41\" c\r\n";
        let mut batch = Batch::new();
        parse(buffer, &mut Partial::default(), &Limits::default(), 64, &mut batch).unwrap();
        let words = |args: Args<'_>| args.iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
        for first in 0..=3 {
            let owned = batch.to_owned(buffer, first);
            assert_eq!(owned.len(), 3 - first);
            for i in 0..owned.len() {
                assert_eq!(words(owned.args(i)), words(batch.args(buffer, first + i)));
            }
        }
        assert_eq!(words(batch.args(buffer, 2)), [b"SET".to_vec(), b"b A".to_vec(), b"c".to_vec()]);
    }

    #[test]
    fn commands_are_gathered_from_several_batches() {
        let mut queue = OwnedBatch::of(&["GET", "a"]);
        let big = Arc::new(vec![7; 10]);
        let mut with_big = OwnedBatch::new();
        with_big.push_args([(&b"SET"[..], None), (b"k", None), (&[], Some(Arc::clone(&big)))].into_iter());
        queue.push(with_big.args(0));
        queue.push(OwnedBatch::of(&["", ""]).args(0));
        assert_eq!(queue.len(), 3);
        assert_eq!(format!("{:?}", queue.args(0)), r#"["GET", "a"]"#);
        assert_eq!(queue.args(1).get(2), &big[..]);
        assert!(Arc::ptr_eq(&queue.args(1).shared(2).unwrap(), &big));
        assert_eq!(queue.args(1).shared(1), None);
        assert_eq!(queue.args(2).iter().len(), 2);
        assert_eq!(queue.args(1).from(1).try_get(2), None);
    }
}
