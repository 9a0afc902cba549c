//! The table of all commands, and the look-up by name.
//!
//! A name of up to sixteen bytes is packed into one 128-bit number, upper-cased eight bits at a time
//! all at once, and looked for in an open-addressing table that is at most half full: no allocation, no
//! comparison of strings. The few longer names are compared in their rest, too.
//!
//! ```text
//!     b"get" -> 0x..544547 --fold--> place in `names` -> (packed, length, index) -> `rows[index]`
//! ```
//!
//! 1. `rows` has each command followed by its subcommands; a row's index is what counters are kept by.
//! 2. Names differ within the table, in any case of letters.

use crate::table::Command;
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

#[derive(Clone, Copy)]
struct Name {
    packed: u128,
    /// 0: nothing is here.
    len: u8,
    index: u16,
}

const EMPTY: Name = Name { packed: 0, len: 0, index: 0 };

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
            let name = rows[usize::from(index)].name.as_bytes();
            let packed = pack(name);
            let mut at = home(packed, names.len());
            while names[at].len != 0 {
                at = (at + 1) & (names.len() - 1);
            }
            names[at] = Name { packed, len: name.len() as u8, index };
        }
        Table { rows, names }
    }

    /// The command or subcommand that these arguments call, if it takes so many. Otherwise
    /// [`Table::why_not`] says why not.
    #[inline]
    pub fn find(&self, args: Args<'_>) -> Option<Row> {
        let mut row = self.find_name(args.get(0))?;
        if !row.1.subcommands.is_empty() && args.len() > 1 {
            row = self.find_sub(row, args.get(1))?;
        }
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
    #[inline]
    pub fn find_name(&self, name: &[u8]) -> Option<Row> {
        let packed = pack(name);
        let mut at = home(packed, self.names.len());
        loop {
            let here = self.names[at];
            if here.len == 0 {
                return None;
            }
            if here.packed == packed && usize::from(here.len) == name.len() {
                let command = self.by_index(here.index);
                if name.len() <= 16 || command.name.as_bytes().eq_ignore_ascii_case(name) {
                    return Some((here.index, command));
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

/// Up to sixteen bytes of a name as a number, upper-cased. A shorter name is filled up with zeros, so
/// the length must be compared beside it.
#[inline]
fn pack(name: &[u8]) -> u128 {
    let len = name.len();
    let word = |at: usize| u128::from(u64::from_le_bytes(name[at..at + 8].try_into().expect("eight bytes")));
    let half = |at: usize| u128::from(u32::from_le_bytes(name[at..at + 4].try_into().expect("four bytes")));
    // Two overlapping loads instead of a copy of unknown length: where they overlap they agree.
    let packed = if len >= 16 {
        word(0) | word(8) << 64
    } else if len >= 8 {
        word(0) | word(len - 8) << (8 * (len - 8))
    } else if len >= 4 {
        half(0) | half(len - 4) << (8 * (len - 4))
    } else if len > 0 {
        let byte = |at: usize| u128::from(name[at]) << (8 * at);
        byte(0) | byte(len / 2) | byte(len - 1)
    } else {
        0
    };
    upper(packed)
}

/// Turns each byte that is an ASCII lower-case letter into its capital.
#[inline]
fn upper(bytes: u128) -> u128 {
    const ONES: u128 = u128::MAX / 255;
    const HIGH: u128 = ONES << 7;
    let low = bytes & !HIGH;
    let from_a = low + ONES * (0x80 - b'a' as u128);
    let above_z = low + ONES * (0x7f - b'z' as u128);
    let is_lower = from_a & !above_z & !bytes & HIGH;
    bytes - (is_lower >> 2)
}

#[inline]
fn home(packed: u128, places: usize) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let folded = (packed as u64 ^ ((packed >> 64) as u64).rotate_left(29)).wrapping_mul(ODD);
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
                assert!(table.find_name(wrong.as_bytes()).is_none(), "{wrong}");
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
                assert_eq!(pack(&name).to_le_bytes()[..len], name.to_ascii_uppercase());
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
