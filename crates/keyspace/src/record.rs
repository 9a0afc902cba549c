//! One key with all that belongs to it, in one block.
//!
//! ```text
//!     inline   | head | clock 3 | [expiry 8] | key length | value length | key | value |
//!     boxed    | head | clock 3 | 4 unused   | pointer 8  | [expiry 8]   | key length | key |
//!     head     type 4 bits | has an expiry | form 2 bits | boxed          lengths are LEB128
//! ```
//!
//! A boxed value is an `Arc<Vec<u8>>`; its pointer is aligned, so that a reference to it can be given out.
//!
//! 1. A [`Record`] is a pointer: it is valid until its key is next changed, moved or removed. The table
//!    holds the only lasting one.
//! 2. Only [`Record::free`] and [`Record::take_value`] let go of a boxed value.
//!
//! Not here: where blocks come from (`memory.rs`), and how records are found (`table.rs`).

#![allow(unsafe_code)]

use crate::memory::{Memory, MAX_SLAB};
use crate::value::{AccessClock, Form, NewValue, OwnedValue, StrRef, INLINE_MAX};
use std::ptr::NonNull;
use std::sync::Arc;

/// A pointer to a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Record(NonNull<u8>);

// SAFETY: a record is plain memory that one core at a time refers to (rule R11).
unsafe impl Send for Record {}

const EXPIRES: u8 = 1 << 4;
const FORM: u32 = 5;
const BOXED: u8 = 1 << 7;
const INLINE_FRONT: usize = 4;
const BOXED_FRONT: usize = 16;
const EXPIRY: usize = 8;

/// Where the parts of a record are.
struct Parts {
    key: usize,
    key_len: usize,
    /// Of an inline value; 0 for a boxed one.
    value_len: usize,
}

fn varint_len(number: usize) -> usize {
    (usize::BITS - (number | 1).leading_zeros()).div_ceil(7) as usize
}

fn form_bits(form: Form) -> u8 {
    (match form {
        Form::Auto => 0,
        Form::Raw => 1,
        Form::Embstr => 2,
    }) << FORM
}

/// What a new record is made of.
pub(crate) struct Draft<'a> {
    pub key: &'a [u8],
    pub value: NewValue<'a>,
    pub expiry: Option<u64>,
    pub clock: AccessClock,
}

impl Draft<'_> {
    fn is_boxed(&self) -> bool {
        self.value.bytes().len() > INLINE_MAX
    }

    fn form(&self) -> Form {
        match &self.value {
            NewValue::Copy(_, form) | NewValue::Shared(_, form) => *form,
        }
    }

    /// Bytes of the record.
    pub(crate) fn size(&self) -> usize {
        let expiry = if self.expiry.is_some() { EXPIRY } else { 0 };
        let key = varint_len(self.key.len()) + self.key.len();
        let value = self.value.bytes().len();
        match self.is_boxed() {
            true => BOXED_FRONT + expiry + key,
            false => INLINE_FRONT + expiry + key + varint_len(value) + value,
        }
    }
}

/// Whether records of these sizes lie in blocks of the same size.
pub(crate) fn same_block(a: usize, b: usize) -> bool {
    a == b || (a <= MAX_SLAB && b <= MAX_SLAB && a.div_ceil(8) == b.div_ceil(8))
}

impl Record {
    /// Makes a record in a block of its own.
    #[inline]
    pub(crate) fn create(memory: &mut Memory, draft: Draft<'_>) -> Record {
        let size = draft.size();
        let record = Record(memory.alloc_record(size));
        // SAFETY: the block is new and holds `size` bytes.
        unsafe { record.write(memory, draft) };
        record
    }

    /// Overwrites a record of the same key, in place if the new one fits into its block. The record
    /// that holds it now, and the boxed value that it held; nothing of `draft` may lie in the old one.
    #[inline]
    pub(crate) fn replace(self, memory: &mut Memory, draft: Draft<'_>) -> (Record, Option<Arc<Vec<u8>>>) {
        let old = self.size();
        let new = draft.size();
        let buffer = self.take_box(memory);
        if same_block(old, new) {
            // SAFETY: the block has room for `new` bytes, and the caller saw to it that it does not overlap.
            unsafe { self.write(memory, draft) };
            return (self, buffer);
        }
        // SAFETY: the old block is not referred to any more once the caller has the new record.
        unsafe { memory.free_record(self.0, old) };
        (Record::create(memory, draft), buffer)
    }

    /// # Safety
    /// The block has room for `draft.size()` bytes, of which none belongs to the draft.
    #[inline]
    unsafe fn write(self, memory: &mut Memory, draft: Draft<'_>) {
        let boxed = draft.is_boxed();
        let head = form_bits(draft.form())
            | if draft.expiry.is_some() { EXPIRES } else { 0 }
            | if boxed { BOXED } else { 0 };
        // SAFETY: all offsets are below the size computed in `Draft::size`.
        unsafe {
            let base = self.0.as_ptr();
            base.write(head);
            self.set_clock(draft.clock);
            let mut at = if boxed { BOXED_FRONT } else { INLINE_FRONT };
            if let Some(expiry) = draft.expiry {
                std::ptr::copy_nonoverlapping(expiry.to_le_bytes().as_ptr(), base.add(at), EXPIRY);
                at += EXPIRY;
            }
            at = self.write_varint(at, draft.key.len());
            if !boxed {
                at = self.write_varint(at, draft.value.bytes().len());
            }
            std::ptr::copy_nonoverlapping(draft.key.as_ptr(), base.add(at), draft.key.len());
            at += draft.key.len();
            if !boxed {
                let value = draft.value.bytes();
                std::ptr::copy_nonoverlapping(value.as_ptr(), base.add(at), value.len());
                return;
            }
            let buffer = match draft.value {
                NewValue::Copy(bytes, _) => Arc::new(bytes.to_vec()),
                NewValue::Shared(buffer, _) => buffer,
            };
            memory.large += buffer.capacity() as i64;
            base.add(8).cast::<Arc<Vec<u8>>>().write(buffer);
        }
    }

    /// # Safety
    /// There is room at `at`.
    #[inline]
    unsafe fn write_varint(self, mut at: usize, mut number: usize) -> usize {
        // SAFETY: the caller's promise.
        unsafe {
            while number >= 0x80 {
                self.0.add(at).write(number as u8 | 0x80);
                number >>= 7;
                at += 1;
            }
            self.0.add(at).write(number as u8);
        }
        at + 1
    }

    #[inline]
    fn read_varint(self, at: &mut usize) -> usize {
        let (mut number, mut shift) = (0, 0);
        loop {
            // SAFETY: a live record has a whole number here.
            let byte = unsafe { self.0.add(*at).read() };
            *at += 1;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return number;
            }
            shift += 7;
        }
    }

    #[inline]
    fn head(self) -> u8 {
        // SAFETY: a live record has at least four bytes.
        unsafe { self.0.read() }
    }

    #[inline]
    fn is_boxed(self) -> bool {
        self.head() & BOXED != 0
    }

    #[inline]
    fn front(self) -> usize {
        if self.is_boxed() {
            BOXED_FRONT
        } else {
            INLINE_FRONT
        }
    }

    #[inline]
    fn parts(self) -> Parts {
        let mut at = self.front() + if self.head() & EXPIRES != 0 { EXPIRY } else { 0 };
        let key_len = self.read_varint(&mut at);
        let value_len = if self.is_boxed() { 0 } else { self.read_varint(&mut at) };
        Parts { key: at, key_len, value_len }
    }

    /// Bytes of the record, its boxed value left out.
    #[inline]
    pub(crate) fn size(self) -> usize {
        let parts = self.parts();
        parts.key + parts.key_len + parts.value_len
    }

    #[inline]
    fn bytes<'a>(self, at: usize, len: usize) -> &'a [u8] {
        // SAFETY: inside of a live record; callers give it the lifetime of their borrow of the table.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(at), len) }
    }

    /// Its key.
    #[inline]
    pub(crate) fn key<'a>(self) -> &'a [u8] {
        let parts = self.parts();
        self.bytes(parts.key, parts.key_len)
    }

    /// Its value.
    #[inline]
    pub(crate) fn string<'a>(self) -> StrRef<'a> {
        let form = match self.head() >> FORM & 3 {
            0 => Form::Auto,
            1 => Form::Raw,
            _ => Form::Embstr,
        };
        if self.is_boxed() {
            // SAFETY: the field holds an Arc that the record owns, aligned, as `&Arc` needs it.
            let buffer: &'a Arc<Vec<u8>> = unsafe { &*self.0.as_ptr().add(8).cast::<Arc<Vec<u8>>>() };
            return StrRef { bytes: buffer, shared: Some(buffer), form };
        }
        let parts = self.parts();
        StrRef { bytes: self.bytes(parts.key + parts.key_len, parts.value_len), shared: None, form }
    }

    /// When it expires, unix ms.
    #[inline]
    pub(crate) fn expiry(self) -> Option<u64> {
        if self.head() & EXPIRES == 0 {
            return None;
        }
        let mut bytes = [0; 8];
        bytes[..EXPIRY].copy_from_slice(self.bytes(self.front(), EXPIRY));
        Some(u64::from_le_bytes(bytes))
    }

    /// Changes the expiry in place. Only for a record that has one.
    pub(crate) fn set_expiry(self, expiry: u64) {
        assert!(self.head() & EXPIRES != 0, "there is no room for an expiry");
        // SAFETY: the field is there.
        unsafe {
            let field = self.0.as_ptr().add(self.front());
            std::ptr::copy_nonoverlapping(expiry.to_le_bytes().as_ptr(), field, EXPIRY);
        }
    }

    /// Its access clock.
    #[inline]
    pub(crate) fn clock(self) -> AccessClock {
        let bytes = self.bytes(1, 3);
        AccessClock::new(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]))
    }

    /// Sets its access clock.
    #[inline]
    pub(crate) fn set_clock(self, clock: AccessClock) {
        let [a, b, c, _] = clock.get().to_le_bytes();
        // SAFETY: a live record, or a new block, has these bytes.
        unsafe { self.0.as_ptr().add(1).cast::<[u8; 3]>().write([a, b, c]) };
    }

    /// Writes into an inline value that is long enough; the value becomes [`Form::Raw`].
    pub(crate) fn overwrite(self, offset: usize, bytes: &[u8]) {
        let parts = self.parts();
        assert!(!self.is_boxed() && offset + bytes.len() <= parts.value_len);
        // SAFETY: inside of the value, by the assertion; the bytes are the caller's.
        unsafe {
            let value = self.0.as_ptr().add(parts.key + parts.key_len + offset);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), value, bytes.len());
            self.0.as_ptr().write(self.head() & !(3 << FORM) | form_bits(Form::Raw));
        }
    }

    /// Changes a boxed value in place, after making it the only owner of its buffer; the value becomes
    /// [`Form::Raw`].
    pub(crate) fn edit_box(self, memory: &mut Memory, edit: impl FnOnce(&mut Vec<u8>)) {
        assert!(self.is_boxed());
        // SAFETY: as in `string`; nobody else refers to the field while the caller edits.
        let buffer = unsafe { &mut *self.0.as_ptr().add(8).cast::<Arc<Vec<u8>>>() };
        memory.large -= buffer.capacity() as i64;
        edit(Arc::make_mut(buffer));
        memory.large += buffer.capacity() as i64;
        // SAFETY: the head of a live record.
        unsafe { self.0.as_ptr().write(self.head() & !(3 << FORM) | form_bits(Form::Raw)) };
    }

    /// Takes a boxed value out. The record must be freed or overwritten without a look at its value.
    fn take_box(self, memory: &mut Memory) -> Option<Arc<Vec<u8>>> {
        if !self.is_boxed() {
            return None;
        }
        // SAFETY: the field holds an Arc, which is moved out once and not used again.
        let buffer = unsafe { self.0.as_ptr().add(8).cast::<Arc<Vec<u8>>>().read() };
        memory.large -= buffer.capacity() as i64;
        Some(buffer)
    }

    /// Frees the record. A boxed value is handed to the caller, who may free it in his own time.
    pub(crate) fn free(self, memory: &mut Memory) -> Option<Arc<Vec<u8>>> {
        let (size, buffer) = (self.size(), self.take_box(memory));
        // SAFETY: the block was allocated for a record of this size, and the caller has dropped the
        // table's pointer to it.
        unsafe { memory.free_record(self.0, size) };
        buffer
    }

    /// Frees the record and keeps its value.
    pub(crate) fn take_value(self, memory: &mut Memory) -> OwnedValue {
        let string = self.string();
        let (form, inline) = (string.form, string.shared.is_none().then(|| string.bytes.to_vec()));
        match (self.free(memory), inline) {
            (Some(buffer), _) => OwnedValue::Shared(buffer, form),
            (None, bytes) => OwnedValue::Inline(bytes.unwrap_or_default(), form),
        }
    }

    /// Moves the record to another block, if `memory` wants it moved.
    pub(crate) fn relocate(self, memory: &mut Memory) -> Option<Record> {
        let size = self.size();
        // SAFETY: a record of this size is in the slab; it is copied whole, a boxed value's pointer with
        // it, and the old block is not used afterwards.
        unsafe {
            if size > MAX_SLAB || !memory.should_move_record(self.0) {
                return None;
            }
            let to = memory.alloc_record(size);
            std::ptr::copy_nonoverlapping(self.0.as_ptr(), to.as_ptr(), size);
            memory.free_record(self.0, size);
            Some(Record(to))
        }
    }

    /// The pointer in 48 bits.
    #[inline]
    pub(crate) fn to_bits(self) -> u64 {
        self.0.as_ptr().expose_provenance() as u64
    }

    /// From the pointer's 48 bits, which are not zero.
    #[inline]
    pub(crate) fn from_bits(bits: u64) -> Record {
        Record(
            NonNull::new(std::ptr::with_exposed_provenance_mut(bits as usize))
                .expect("a record is somewhere"),
        )
    }

    /// Asks for its first two cache lines.
    #[inline]
    pub(crate) fn prefetch(self) {
        crate::table::prefetch(self.0.as_ptr());
        crate::table::prefetch(self.0.as_ptr().wrapping_add(40));
    }
}
