//! The shape of a command's row.
//!
//! A row carries everything that COMMAND INFO answers and that the gates in `node` ask. The words
//! for people (summary, complexity, arguments) are in `docs.rs`, away from what is hot; the look-up
//! by name is in `lookup.rs`.
//!
//! ```text
//! Command::new("getdel", getdel).arity(2).keys(&[at(1, TAKES)]).flags(&[WRITE, FAST]).acl(STRING),
//!     name, handler, arity with the name, where keys stand, flags, category
//! ```
//!
//! 1. A row is built by `const` functions, in any order. What follows from something else (categories
//!    from flags, the plain range and `movablekeys` from key specifications) is derived as it is
//!    stated, by Redis's rules, and never written out.
//! 2. Keys are found by the plain range if there is one ([`Command::key_range`]): a few additions. Only
//!    commands with `movablekeys` need their specifications read, or the function that some have instead.

use crate::exec::{ClusterExec, ControlExec, Exec, Gathered, Visit};
use crate::CommandError;
use resp::{Args, Reply};

/// A handler that runs on one core, to completion.
pub type Handler = fn(&mut Exec<'_>, Args<'_>, &mut Reply) -> Result<(), CommandError>;

/// Shows which arguments are keys, where specifications do not tell (SORT's STORE). Arguments may be missing.
pub type KeyFinder = fn(Args<'_>, &mut dyn FnMut(usize));

/// Where a command runs, and what runs there.
#[derive(Clone, Copy)]
pub enum Run {
    /// Anywhere: it needs the session and facts that every core has (PING, SELECT, CONFIG GET).
    Here(Handler),
    /// On a core that holds the slots of all its keys, lent ones included.
    Keys(Handler),
    /// On the core that holds the slot which this function reads from the arguments (SCAN's cursor,
    /// CLUSTER GETKEYSINSLOT). An argument it cannot read is answered by the handler anywhere.
    Slot(fn(Args<'_>) -> Option<slot::Slot>, Handler),
    /// On the core that owns the connection (CLIENT INFO).
    Origin(Handler),
    /// On every core in turn, then once more on the connection's own.
    EveryCore(EveryCore),
    /// On the control plane, where the cluster is (CLUSTER INFO).
    Cluster(fn(&mut ClusterExec<'_>, Args<'_>, &mut Reply) -> Result<(), CommandError>),
    /// On the control plane, where the configuration has its one writer (CONFIG SET, SHUTDOWN).
    Control(fn(&mut ControlExec<'_>, Args<'_>, &mut Reply) -> Result<(), CommandError>),
    /// Has subcommands only; bare, it answers as the arity says.
    Container,
}

/// A command that visits every core.
#[derive(Clone, Copy)]
pub struct EveryCore {
    /// Whether all cores are locked first, so that the visits take effect as one (rule R4).
    pub locked: bool,
    /// Refuses bad arguments before any core is visited.
    pub check: fn(&Exec<'_>, Args<'_>) -> Result<(), CommandError>,
    /// One core's part. It cannot fail: `check` has passed.
    pub visit: fn(&mut Visit<'_>, Args<'_>, &mut Gathered),
    /// The reply, on the connection's own core.
    pub finish: fn(&mut Exec<'_>, Args<'_>, Gathered, &mut Reply) -> Result<(), CommandError>,
}

macro_rules! bits {
    ($(#[$doc:meta])* $name:ident: $($flag:ident = $bit:expr, $text:expr;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $name(pub u32);
        impl $name {
            $(#[doc = concat!("`", $text, "`")] pub const $flag: $name = $name(1 << $bit);)*
            /// Every flag with the word that COMMAND INFO uses, in the order it lists them.
            pub const WORDS: &'static [($name, &'static str)] = &[$(($name::$flag, $text)),*];
            /// No flags.
            pub const NONE: $name = $name(0);
            /// Those of a list.
            pub const fn of(list: &[$name]) -> $name {
                let (mut all, mut i) = (0, 0);
                while i < list.len() {
                    all |= list[i].0;
                    i += 1;
                }
                $name(all)
            }
            /// Both sets.
            pub const fn or(self, other: $name) -> $name { $name(self.0 | other.0) }
            /// This set without the other.
            pub const fn without(self, other: $name) -> $name { $name(self.0 & !other.0) }
            /// The words of those that are set, in Redis's order.
            pub fn words(self) -> impl Iterator<Item = &'static str> {
                Self::WORDS.iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, word)| *word)
            }
            /// Whether any flag of `other` is set.
            pub const fn has(self, other: $name) -> bool { self.0 & other.0 != 0 }
        }
    };
}

bits! {
    /// A command's flags, as COMMAND INFO lists them (the order is Redis's).
    Flags:
    WRITE = 0, "write";
    READONLY = 1, "readonly";
    DENYOOM = 2, "denyoom";
    MODULE = 3, "module";
    ADMIN = 4, "admin";
    PUBSUB = 5, "pubsub";
    NOSCRIPT = 6, "noscript";
    BLOCKING = 7, "blocking";
    LOADING = 8, "loading";
    STALE = 9, "stale";
    SKIP_MONITOR = 10, "skip_monitor";
    SKIP_SLOWLOG = 11, "skip_slowlog";
    ASKING = 12, "asking";
    FAST = 13, "fast";
    NO_AUTH = 14, "no_auth";
    MAY_REPLICATE = 15, "may_replicate";
    NO_MANDATORY_KEYS = 16, "no_mandatory_keys";
    NO_ASYNC_LOADING = 17, "no_async_loading";
    NO_MULTI = 18, "no_multi";
    MOVABLEKEYS = 19, "movablekeys";
    ALLOW_BUSY = 20, "allow_busy";
}

bits! {
    /// ACL categories of a command (COMMAND INFO prefixes them with `@`).
    Categories:
    KEYSPACE = 0, "keyspace";
    READ = 1, "read";
    WRITE = 2, "write";
    SET = 3, "set";
    SORTEDSET = 4, "sortedset";
    LIST = 5, "list";
    HASH = 6, "hash";
    STRING = 7, "string";
    BITMAP = 8, "bitmap";
    HYPERLOGLOG = 9, "hyperloglog";
    GEO = 10, "geo";
    STREAM = 11, "stream";
    PUBSUB = 12, "pubsub";
    ADMIN = 13, "admin";
    FAST = 14, "fast";
    SLOW = 15, "slow";
    BLOCKING = 16, "blocking";
    DANGEROUS = 17, "dangerous";
    CONNECTION = 18, "connection";
    TRANSACTION = 19, "transaction";
    SCRIPTING = 20, "scripting";
}

/// Where a command's keys begin and how they go on (COMMAND INFO, key specifications).
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// Words such as `RW`, `access`, `update`, as COMMAND INFO spells them, in Redis's order.
    pub flags: &'static [&'static str],
    /// Where the first key stands.
    pub begin: Begin,
    /// Which arguments from there are keys.
    pub find: Find,
    /// A remark that COMMAND INFO shows with the specification.
    pub notes: Option<&'static str>,
}

/// Where the first key of a specification stands.
#[derive(Clone, Copy, Debug)]
pub enum Begin {
    /// At this argument (0 is the command's name).
    Index(u8),
    /// After this word, looked for from `from` (negative: from the end, backwards).
    Keyword(&'static str, i8),
    /// Cannot be told.
    Unknown,
}

/// Which arguments, counted from the first key, are keys.
#[derive(Clone, Copy, Debug)]
pub enum Find {
    /// From the first to `last` (relative to the first; negative: from the end of the arguments),
    /// each `step`-th; `limit` divides the rest (0 and 1: no limit).
    Range {
        /// The last key, relative to the first, or from the end when negative.
        last: i8,
        /// Distance between keys.
        step: u8,
        /// What part of the remaining arguments may be keys.
        limit: u8,
    },
    /// An argument says how many keys follow.
    KeyNum {
        /// Where the count stands, relative to the begin.
        at: u8,
        /// Where the first key stands, relative to the begin.
        first: u8,
        /// Distance between keys.
        step: u8,
    },
    /// Cannot be told.
    Unknown,
}

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Command {
    /// Lower-case name; of a subcommand `container|sub`.
    pub name: &'static str,
    /// Number of arguments with the name; negative: at least so many.
    pub arity: i16,
    /// Flags.
    pub flags: Flags,
    /// ACL categories, complete (those implied by flags included).
    pub categories: Categories,
    /// Key specifications.
    pub keys: &'static [KeySpec],
    /// Where keys stand, if they stand in one plain range; derived from `keys`.
    range: KeyRange,
    /// What finds all keys, where the specifications do not.
    finder: Option<KeyFinder>,
    /// Hints for proxies and clients.
    pub tips: &'static [&'static str],
    /// Where it runs and what runs.
    pub run: Run,
    /// Its subcommands.
    pub subcommands: &'static [Command],
}

/// Keys in a plain range of arguments: COMMAND INFO's first key, last key and step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key; 0: there are none.
    pub first: u8,
    /// The last one; negative: counted from the end of the arguments, -1 is the last of them.
    pub last: i8,
    /// Distance between keys.
    pub step: u8,
}

impl KeyRange {
    /// No keys.
    pub const NONE: KeyRange = KeyRange { first: 0, last: 0, step: 0 };
}

/// The arguments do not say where keys are: a count that is no number, or more keys than arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeysNotFound;

impl Command {
    /// A command that runs where its keys are.
    pub const fn new(name: &'static str, handler: Handler) -> Command {
        Command::running(name, Run::Keys(handler))
    }

    /// A command that runs as said.
    pub const fn running(name: &'static str, run: Run) -> Command {
        Command {
            name,
            arity: -1,
            flags: Flags::NONE,
            categories: Categories::SLOW,
            keys: &[],
            range: KeyRange::NONE,
            finder: None,
            tips: &[],
            run,
            subcommands: &[],
        }
    }

    /// A command that has subcommands only.
    pub const fn container(name: &'static str, subcommands: &'static [Command]) -> Command {
        Command::running(name, Run::Container).arity(-2).subcommands(subcommands)
    }

    /// How many arguments it takes, its name included; negative: at least so many.
    pub const fn arity(mut self, arity: i16) -> Command {
        self.arity = arity;
        self
    }

    /// What it is. Categories that Redis derives from flags come with them.
    pub const fn flags(mut self, flags: &[Flags]) -> Command {
        self.flags = self.flags.or(Flags::of(flags));
        self.with_implied_categories()
    }

    /// The category of its data, or others that no flag implies.
    pub const fn acl(mut self, categories: Categories) -> Command {
        self.categories = self.categories.or(categories);
        self.with_implied_categories()
    }

    /// Where its keys stand.
    pub const fn keys(mut self, keys: &'static [KeySpec]) -> Command {
        self.keys = keys;
        let (range, movable) = plain_range(keys);
        self.range = range;
        if movable {
            self.flags = self.flags.or(Flags::MOVABLEKEYS);
        }
        self
    }

    /// Its keys are those that a function finds, whatever its specifications tell others.
    pub const fn keys_found_by(mut self, finder: KeyFinder) -> Command {
        self.finder = Some(finder);
        self
    }

    /// The same with the keys of one specification only (COMMAND GETKEYS).
    pub(crate) fn with_one_spec(self, spec: &'static [KeySpec]) -> Command {
        Command { finder: None, ..self.keys(spec) }
    }

    /// Whether a function finds its keys.
    pub(crate) fn has_key_finder(&self) -> bool {
        self.finder.is_some()
    }

    /// What proxies and clients should know.
    pub const fn tips(mut self, tips: &'static [&'static str]) -> Command {
        self.tips = tips;
        self
    }

    /// Its subcommands (those of a container, or of COMMAND, which also answers bare).
    pub const fn subcommands(mut self, subcommands: &'static [Command]) -> Command {
        self.subcommands = subcommands;
        self
    }

    /// Redis's `setImplicitACLCategories`.
    const fn with_implied_categories(mut self) -> Command {
        let mut all = self.categories.without(Categories::SLOW);
        if self.flags.has(Flags::WRITE) {
            all = all.or(Categories::WRITE);
        }
        // EVAL_RO and its like are not @read: what they do is up to the script.
        if self.flags.has(Flags::READONLY) && !all.has(Categories::SCRIPTING) {
            all = all.or(Categories::READ);
        }
        if self.flags.has(Flags::ADMIN) {
            all = all.or(Categories::ADMIN).or(Categories::DANGEROUS);
        }
        if self.flags.has(Flags::PUBSUB) {
            all = all.or(Categories::PUBSUB);
        }
        if self.flags.has(Flags::BLOCKING) {
            all = all.or(Categories::BLOCKING);
        }
        all = all.or(if self.flags.has(Flags::FAST) { Categories::FAST } else { Categories::SLOW });
        self.categories = all;
        self
    }

    /// Whether it may have so many arguments, its name included.
    #[inline]
    pub const fn takes(&self, argc: usize) -> bool {
        takes(self.arity, argc)
    }

    /// Whether it can change keys.
    #[inline]
    pub const fn is_write(&self) -> bool {
        self.flags.has(Flags::WRITE)
    }

    /// The plain range of its keys, as COMMAND INFO shows it. With `movablekeys` there may be others.
    #[inline]
    pub const fn key_range(&self) -> KeyRange {
        self.range
    }

    /// Which of its arguments is its first key, if it has one there.
    #[inline]
    pub fn first_key(&self, args: Args<'_>) -> Option<usize> {
        if !self.flags.has(Flags::MOVABLEKEYS) {
            // One test for most commands, whatever the arguments: a range begins with its first key.
            let first = usize::from(self.range.first);
            return (first != 0 && first < args.len()).then_some(first);
        }
        let mut first = None;
        // What cannot be found is for the handler to refuse.
        let _ = self.for_each_specified_key(args, &mut |at| first = first.or(Some(at)));
        first
    }

    /// Whether its first key is its only one.
    #[inline]
    pub fn is_single_key(&self, args: Args<'_>) -> bool {
        if !self.flags.has(Flags::MOVABLEKEYS) {
            let KeyRange { first, last, step } = self.range;
            let end = if last >= 0 { last as usize } else { args.len().wrapping_add_signed(last.into()) };
            return first != 0 && usize::from(first) + usize::from(step) > end;
        }
        let mut keys = 0;
        let _ = self.for_each_specified_key(args, &mut |_| keys += 1);
        keys == 1
    }

    /// Calls `f` with the place of each key among its arguments, in order. The arity need not have been
    /// checked. On an error keys of earlier specifications may have been shown.
    #[inline]
    pub fn for_each_key(&self, args: Args<'_>, mut f: impl FnMut(usize)) -> Result<(), KeysNotFound> {
        if self.flags.has(Flags::MOVABLEKEYS) {
            return self.for_each_specified_key(args, &mut f);
        }
        let KeyRange { first, last, step } = self.range;
        if first == 0 {
            return Ok(());
        }
        let end = if last >= 0 { last as usize } else { args.len().wrapping_add_signed(last.into()) };
        let mut at = usize::from(first);
        while at <= end && at < args.len() {
            f(at);
            at += usize::from(step);
        }
        Ok(())
    }

    fn for_each_specified_key(&self, args: Args<'_>, f: &mut dyn FnMut(usize)) -> Result<(), KeysNotFound> {
        if let Some(finder) = self.finder {
            finder(args, f);
            return Ok(());
        }
        for spec in self.keys.iter().filter(|spec| !spec.flags.contains(&"not_key")) {
            let Some(begin) = spec.begin.find(args)? else { continue };
            let (first, last, step) = spec.find.range(args, begin)?;
            if last >= args.len() as i64 || last < first || first >= args.len() as i64 {
                return Err(KeysNotFound);
            }
            (first..=last).step_by(step.into()).for_each(|at| f(at as usize));
            if spec.flags.contains(&"incomplete") {
                return Err(KeysNotFound);
            }
        }
        Ok(())
    }
}

impl Begin {
    /// Where the first key stands; `None` if the keyword is missing, and the keys with it.
    fn find(self, args: Args<'_>) -> Result<Option<i64>, KeysNotFound> {
        let is_word = |at: usize, word: &str| args[at].eq_ignore_ascii_case(word.as_bytes());
        match self {
            Begin::Index(at) => Ok(Some(at.into())),
            Begin::Unknown => Err(KeysNotFound),
            Begin::Keyword(word, from) => {
                let len = args.len();
                let found = if from > 0 {
                    // Redis leaves the last argument out: no key can follow it.
                    (from as usize..len.saturating_sub(1)).find(|&at| is_word(at, word))
                } else {
                    let start = len.wrapping_add_signed(from.into());
                    // The name and the argument after it are no place for a keyword.
                    (2..=start.min(len - 1)).rev().find(|&at| start < len && is_word(at, word))
                };
                Ok(found.map(|at| at as i64 + 1))
            }
        }
    }
}

impl Find {
    /// First key, last key and step.
    fn range(self, args: Args<'_>, begin: i64) -> Result<(i64, i64, u8), KeysNotFound> {
        let argc = args.len() as i64;
        match self {
            Find::Unknown => Err(KeysNotFound),
            Find::Range { last, step, .. } if last >= 0 => Ok((begin, begin + i64::from(last), step)),
            Find::Range { last, step, limit: 0 } => Ok((begin, argc + i64::from(last), step)),
            Find::Range { last, step, limit } => {
                Ok((begin, begin + (argc - begin) / i64::from(limit) + i64::from(last), step))
            }
            Find::KeyNum { at, first, step } => {
                let count = args.try_get((begin + i64::from(at)) as usize).ok_or(KeysNotFound)?;
                let count = resp::parse_integer(count).filter(|n| (0..=argc).contains(n));
                let first = begin + i64::from(first);
                Ok((first, first + count.ok_or(KeysNotFound)? - 1, step))
            }
        }
    }
}

/// Whether an arity allows so many arguments.
#[inline]
pub(crate) const fn takes(arity: i16, argc: usize) -> bool {
    if arity >= 0 {
        argc == arity as usize
    } else {
        argc >= arity.unsigned_abs() as usize
    }
}

/// The key at this argument, and no other.
pub const fn at(index: u8, flags: &'static [&'static str]) -> KeySpec {
    through(index, 0, 1, flags)
}

/// The keys from this argument through `last` (relative to it; negative: from the end), each
/// `step`-th.
pub const fn through(index: u8, last: i8, step: u8, flags: &'static [&'static str]) -> KeySpec {
    let find = Find::Range { last, step, limit: 0 };
    KeySpec { flags, begin: Begin::Index(index), find, notes: None }
}

impl KeySpec {
    /// With a remark.
    pub const fn noted(mut self, remark: &'static str) -> KeySpec {
        self.notes = Some(remark);
        self
    }
}

/// Redis's `populateCommandLegacyRangeSpec`: the range that stands for the specifications, and whether
/// it does not say all.
const fn plain_range(specs: &[KeySpec]) -> (KeyRange, bool) {
    let mut range = KeyRange::NONE;
    let mut movable = false;
    let mut i = 0;
    while i < specs.len() {
        let incomplete = has_word(specs[i].flags, "incomplete");
        match (specs[i].begin, specs[i].find) {
            (Begin::Index(first), Find::Range { last, step, .. }) => {
                let last = if last >= 0 { last + first as i8 } else { last };
                if specs.len() == 1 {
                    return (KeyRange { first, last, step }, incomplete);
                }
                if step != 1 || (range.first != 0 && range.last != first as i8 - 1) {
                    movable = true;
                } else {
                    movable = movable || incomplete;
                    let begin = if range.first == 0 { first } else { range.first };
                    range = KeyRange { first: begin, last, step: 1 };
                }
            }
            _ => movable = true,
        }
        i += 1;
    }
    (range, movable)
}

const fn has_word(words: &[&str], word: &str) -> bool {
    let mut i = 0;
    while i < words.len() {
        let (a, b) = (words[i].as_bytes(), word.as_bytes());
        let mut same = a.len() == b.len();
        let mut at = 0;
        while same && at < a.len() {
            same = a[at] == b[at];
            at += 1;
        }
        if same {
            return true;
        }
        i += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use resp::OwnedBatch;

    fn unused(_: &mut Exec<'_>, _: Args<'_>, _: &mut Reply) -> Result<(), CommandError> {
        unreachable!("only its row is looked at")
    }

    fn keys(command: &Command, line: &str) -> Result<Vec<usize>, KeysNotFound> {
        let words: Vec<&str> = line.split(' ').collect();
        let batch = OwnedBatch::of(&words);
        let mut found = Vec::new();
        let result = command.for_each_key(batch.args(0), |at| found.push(at));
        assert!(result.is_err() || command.first_key(batch.args(0)) == found.first().copied());
        result.map(|()| found)
    }

    const RO: &[&str] = &["RO", "access"];

    #[test]
    fn a_plain_range_gives_its_keys() {
        const ALL: Command = Command::new("mget", unused).arity(-2).keys(&[through(1, -1, 1, RO)]);
        const PAIRS: Command = Command::new("mset", unused).arity(-3).keys(&[through(1, -1, 2, RO)]);
        const TWO: Command = Command::new("rename", unused).arity(3).keys(&[at(1, RO), at(2, RO)]);
        const NONE: Command = Command::new("ping", unused).arity(-1);
        assert_eq!(keys(&ALL, "mget a b c"), Ok(vec![1, 2, 3]));
        assert_eq!(keys(&ALL, "mget"), Ok(vec![]));
        assert_eq!(keys(&PAIRS, "mset a 1 b 2"), Ok(vec![1, 3]));
        assert_eq!(keys(&TWO, "rename a b"), Ok(vec![1, 2]));
        assert_eq!(keys(&TWO, "rename a"), Ok(vec![1]));
        assert_eq!(keys(&NONE, "ping a"), Ok(vec![]));
        for (command, line, single) in [
            (&ALL, "mget a", true),
            (&ALL, "mget a b", false),
            (&PAIRS, "mset a 1", true),
            (&PAIRS, "mset a 1 b 2", false),
            (&TWO, "rename a b", false),
            (&NONE, "ping a", false),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(command.is_single_key(OwnedBatch::of(&words).args(0)), single, "{line}");
        }
        assert_eq!(ALL.key_range(), KeyRange { first: 1, last: -1, step: 1 });
        assert_eq!(TWO.key_range(), KeyRange { first: 1, last: 2, step: 1 });
        assert!(!TWO.flags.has(Flags::MOVABLEKEYS));
    }

    #[test]
    fn counted_keys_and_keywords_are_followed() {
        const COUNTED: KeySpec = KeySpec {
            flags: RO,
            begin: Begin::Index(2),
            find: Find::KeyNum { at: 0, first: 1, step: 1 },
            notes: None,
        };
        const STORE: Command = Command::new("zunionstore", unused).arity(-4).keys(&[at(1, RO), COUNTED]);
        assert!(STORE.flags.has(Flags::MOVABLEKEYS));
        assert_eq!(STORE.key_range(), KeyRange { first: 1, last: 1, step: 1 });
        assert_eq!(keys(&STORE, "zunionstore d 2 a b weights 1 2"), Ok(vec![1, 3, 4]));
        for refused in ["d", "d x a", "d -1 a", "d 0 a", "d 3 a b", "d 9223372036854775807 a"] {
            assert_eq!(keys(&STORE, &format!("zunionstore {refused}")), Err(KeysNotFound), "{refused}");
        }
        const STREAMS: KeySpec = KeySpec {
            flags: RO,
            begin: Begin::Keyword("STREAMS", 1),
            find: Find::Range { last: -1, step: 1, limit: 2 },
            notes: None,
        };
        const XREAD: Command = Command::new("xread", unused).arity(-4).keys(&[STREAMS]);
        assert_eq!(keys(&XREAD, "xread count 1 streams a b 0 0"), Ok(vec![4, 5]));
        assert_eq!(keys(&XREAD, "xread count 1"), Ok(vec![]));
        const BACK: KeySpec = KeySpec { begin: Begin::Keyword("STORE", -1), ..at(1, RO) };
        const SORT: Command = Command::new("sort", unused).arity(-2).keys(&[at(1, RO), BACK]);
        assert_eq!(keys(&SORT, "sort a store b"), Ok(vec![1, 3]));
        assert_eq!(keys(&SORT, "sort a"), Ok(vec![1]));
        const UNKNOWN: KeySpec = KeySpec { begin: Begin::Unknown, find: Find::Unknown, ..at(1, RO) };
        const BY: Command = Command::new("sort_ro", unused).arity(-2).keys(&[at(1, RO), UNKNOWN]);
        assert_eq!(keys(&BY, "sort_ro a"), Err(KeysNotFound));
    }

    #[test]
    fn categories_follow_from_flags_in_any_order() {
        let a = Command::new("x", unused).acl(Categories::STRING).flags(&[Flags::WRITE, Flags::FAST]);
        let b = Command::new("x", unused).flags(&[Flags::FAST, Flags::WRITE]).acl(Categories::STRING);
        assert_eq!(a.categories, b.categories);
        assert_eq!(a.categories.words().collect::<Vec<_>>(), ["write", "string", "fast"]);
        let admin = Command::new("x", unused).flags(&[Flags::ADMIN]);
        assert_eq!(admin.categories.words().collect::<Vec<_>>(), ["admin", "slow", "dangerous"]);
    }
}
