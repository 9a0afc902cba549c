//! The table of all commands, and the look-up by name.
//!
//! A name of up to sixteen bytes is packed into two 64-bit numbers, its bytes upper-cased all
//! at once, and looked for in an open-addressing table that is at most half full: no allocation, no
//! comparison of strings. The few longer names are compared in their rest, too.
//!
//! ```text
//!     b"get" -> 0x544547 --fold--> place in `names`: packed, length, row, arity
//! ```
//!
//! 1. `rows` has each command followed by its subcommands; a row's index is what counters are kept by.
//! 2. Names differ within the table, in any case of letters.

use crate::table::{takes, Command};
use crate::CommandError;
use resp::Args;
use std::sync::LazyLock;

/// A row, and before it its index, which is below [`Table::len`].
pub type Row = (u16, &'static Command);

/// All commands that the server knows.
pub struct Table {
    rows: Vec<&'static Command>,
    names: Box<[Name]>,
}

/// All that the look-up needs, in half a cache line.
#[derive(Clone, Copy)]
struct Name {
    /// The first sixteen bytes.
    packed: [u64; 2],
    /// `None`: nothing is here.
    command: Option<&'static Command>,
    arity: i16,
    index: u16,
    len: u8,
    has_subcommands: bool,
}

const EMPTY: Name =
    Name { packed: [0; 2], command: None, arity: 0, index: 0, len: 0, has_subcommands: false };

/// The commands that are built.
pub static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(crate::FAMILIES));

impl Table {
    /// The index of no row: of a client that has sent nothing.
    pub const NO_COMMAND: u16 = u16::MAX;

    /// The commands that are built. Keep the reference: asking again costs a test each time.
    pub fn standard() -> &'static Table {
        &TABLE
    }

    /// A table of these families.
    pub fn new(families: &[&'static [Command]]) -> Table {
        let mut rows: Vec<&'static Command> = Vec::new();
        let mut tops = Vec::new();
        for command in families.iter().copied().flatten() {
            tops.push(rows.len() as u16);
            rows.push(command);
            rows.extend(command.subcommands);
        }
        let mut names = vec![EMPTY; (tops.len() * 2).next_power_of_two().max(2)].into_boxed_slice();
        for index in tops {
            let command = rows[usize::from(index)];
            let name = command.name.as_bytes();
            let packed = pack(name);
            let mut at = home(packed, names.len());
            while names[at].command.is_some() {
                at = (at + 1) & (names.len() - 1);
            }
            names[at] = Name {
                packed,
                command: Some(command),
                arity: command.arity,
                index,
                len: name.len() as u8,
                has_subcommands: !command.subcommands.is_empty(),
            };
        }
        Table { rows, names }
    }

    /// The command or subcommand that these arguments call, if it takes so many. Otherwise
    /// [`Table::why_not`] says why not.
    #[inline]
    pub fn find(&self, args: Args<'_>) -> Option<Row> {
        let (name, command) = self.probe(args.get(0))?;
        if name.has_subcommands {
            return self.find_with_sub((name.index, command), args);
        }
        takes(name.arity, args.len()).then_some((name.index, command))
    }

    fn find_with_sub(&self, container: Row, args: Args<'_>) -> Option<Row> {
        let row = match args.try_get(1) {
            Some(sub) => self.find_sub(container, sub)?,
            None => container,
        };
        row.1.takes(args.len()).then_some(row)
    }

    /// Why [`Table::find`] found nothing.
    #[cold]
    pub fn why_not(&self, args: Args<'_>) -> CommandError {
        let Some(mut row) = self.find_name(args.get(0)) else {
            return CommandError::unknown_command(args);
        };
        if !row.1.subcommands.is_empty() && args.len() > 1 {
            match self.find_sub(row, args.get(1)) {
                Some(sub) => row = sub,
                None => return CommandError::unknown_subcommand(row.1.name, args.get(1)),
            }
        }
        CommandError::WrongArity(row.1.name)
    }

    /// The command of this name, in any case of letters; no subcommand.
    pub fn find_name(&self, name: &[u8]) -> Option<Row> {
        self.probe(name).map(|(found, command)| (found.index, command))
    }

    #[inline]
    fn probe(&self, name: &[u8]) -> Option<(&Name, &'static Command)> {
        let packed = pack(name);
        let mut at = home(packed, self.names.len());
        loop {
            let here = &self.names[at];
            let command = here.command?;
            if here.packed == packed && usize::from(here.len) == name.len() {
                // Only a few names are longer than what is packed.
                if name.len() <= 16 || command.name.as_bytes().eq_ignore_ascii_case(name) {
                    return Some((here, command));
                }
            }
            at = (at + 1) & (self.names.len() - 1);
        }
    }

    /// The subcommand of this name.
    pub fn find_sub(&self, (index, container): Row, name: &[u8]) -> Option<Row> {
        let skipped = container.name.len() + 1;
        let is_it = |sub: &Command| sub.name.as_bytes()[skipped..].eq_ignore_ascii_case(name);
        let nth = container.subcommands.iter().position(is_it)?;
        Some((index + 1 + nth as u16, &container.subcommands[nth]))
    }

    /// The row of this index. Panics if there is none.
    #[inline]
    pub fn by_index(&self, index: u16) -> &'static Command {
        self.rows[usize::from(index)]
    }

    /// The name of the row of this index, if there is one.
    pub fn name_at(&self, index: u16) -> Option<&'static str> {
        self.rows.get(usize::from(index)).map(|row| row.name)
    }

    /// How many rows there are, subcommands included.
    #[allow(clippy::len_without_is_empty)] // a server without commands is none
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The commands in order, subcommands left out.
    pub fn commands(&self) -> impl Iterator<Item = Row> + '_ {
        let mut next = 0;
        std::iter::from_fn(move || {
            let index = next;
            let command = *self.rows.get(index)?;
            next += 1 + command.subcommands.len();
            Some((index as u16, command))
        })
    }

    /// All rows in order, each subcommand after its container.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &'static Command> + '_ {
        self.rows.iter().copied()
    }
}

/// Up to sixteen bytes of a name as two numbers, upper-cased. A shorter name is filled up with zeros,
/// so the length must be compared beside it.
#[inline]
fn pack(name: &[u8]) -> [u64; 2] {
    let len = name.len();
    let word = |at: usize| u64::from_le_bytes(name[at..at + 8].try_into().expect("eight bytes"));
    // Two overlapping loads instead of a copy of unknown length: where they overlap they agree.
    if len <= 8 {
        if len >= 4 {
            let half =
                |at: usize| u64::from(u32::from_le_bytes(name[at..at + 4].try_into().expect("four bytes")));
            return [upper(half(0) | half(len - 4) << (8 * (len - 4))), 0];
        }
        if len == 0 {
            return [0; 2];
        }
        let byte = |at: usize| u64::from(name[at]) << (8 * at);
        return [upper(byte(0) | byte(len / 2) | byte(len - 1)), 0];
    }
    if len >= 16 {
        return [upper(word(0)), upper(word(8))];
    }
    [upper(word(0)), upper(word(len - 8) >> (8 * (16 - len)))]
}

/// Turns each byte that is an ASCII lower-case letter into its capital.
#[inline]
fn upper(bytes: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let low = bytes & !HIGH;
    let from_a = low + ONES * (0x80 - b'a' as u64);
    let above_z = low + ONES * (0x7f - b'z' as u64);
    let is_lower = from_a & !above_z & !bytes & HIGH;
    bytes - (is_lower >> 2)
}

#[inline]
fn home(packed: [u64; 2], places: usize) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let folded = (packed[0] ^ packed[1].rotate_left(29)).wrapping_mul(ODD);
    (folded >> 40) as usize & (places - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use resp::OwnedBatch;

    #[test]
    fn every_command_is_found_in_any_case() {
        let table = Table::standard();
        for (index, command) in table.commands() {
            let name = command.name;
            for spelled in [name.to_string(), name.to_uppercase(), name[..1].to_uppercase() + &name[1..]] {
                assert_eq!(table.find_name(spelled.as_bytes()).map(|row| row.0), Some(index), "{spelled}");
            }
            for wrong in [format!("{name}x"), format!("{name}\0"), name[1..].to_string() + "_"] {
                // It may be another command (LPUSHX), but not this one.
                assert_ne!(table.find_name(wrong.as_bytes()).map(|row| row.0), Some(index), "{wrong}");
            }
            for sub in command.subcommands {
                let (_, last) = sub.name.split_once('|').expect("named after its container");
                let found = table.find_sub((index, command), last.to_uppercase().as_bytes());
                let (at, found) = found.expect("it is there");
                assert_eq!((found.name, table.name_at(at)), (sub.name, Some(sub.name)));
            }
        }
        assert!(table.find_name(b"").is_none());
        assert_eq!(table.rows().len(), table.len());
        assert_eq!(table.name_at(Table::NO_COMMAND), None);
    }

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<&str> = Table::standard().rows().map(|row| row.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn long_names_are_compared_to_their_end() {
        const LONG: &[Command] = &[
            Command::container("georadiusbymember", &[]),
            Command::container("georadiusbymember_ro", &[]),
            Command::container("georadiusbymembez_ro", &[]),
        ];
        let table = Table::new(&[LONG]);
        for row in LONG {
            let (_, found) = table.find_name(row.name.to_uppercase().as_bytes()).expect("it is there");
            assert_eq!(found.name, row.name);
        }
        assert!(table.find_name(b"georadiusbymember_rx").is_none());
    }

    #[test]
    fn only_letters_change_their_case() {
        for byte in 0..=255u8 {
            for len in 1..=16 {
                let name = vec![byte; len];
                assert_eq!(pack(&name).map(u64::to_le_bytes).concat()[..len], name.to_ascii_uppercase());
            }
        }
    }

    #[test]
    fn a_call_is_refused_before_it_runs() {
        let refused = |words: &[&str]| {
            let batch = OwnedBatch::of(words);
            let (table, args) = (Table::standard(), batch.args(0));
            table.find(args).is_none().then(|| table.why_not(args).to_string())
        };
        assert_eq!(refused(&["get", "k"]), None);
        assert_eq!(refused(&["gEt"]).as_deref(), Some("ERR wrong number of arguments for 'get' command"));
        assert_eq!(
            refused(&["nosuch", "a b", "c"]).as_deref(),
            Some("ERR unknown command 'nosuch', with args beginning with: 'a b' 'c' ")
        );
        assert_eq!(
            refused(&["object", "nosuch"]).as_deref(),
            Some("ERR unknown subcommand 'nosuch'. Try OBJECT HELP.")
        );
        assert_eq!(
            refused(&["object"]).as_deref(),
            Some("ERR wrong number of arguments for 'object' command")
        );
        assert_eq!(
            refused(&["object", "FREQ"]).as_deref(),
            Some("ERR wrong number of arguments for 'object|freq' command")
        );
    }
}
