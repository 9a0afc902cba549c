//! COMMAND: the table, told to clients.
//!
//! All of it comes from the rows (`table.rs`) and the words about them (`docs.rs`), so that there is
//! nothing to keep in step.
//!
//! One command has keys whose use its options decide: SET overwrites, but with GET it also reads.
//! GETKEYSANDFLAGS tells which.

use crate::docs;
use crate::table::{Begin, Categories, Command, Find, Flags, KeySpec, Run};
use crate::{CommandError, Exec, Table};
use resp::{Args, Reply};

type Result = std::result::Result<(), CommandError>;

const QUIET: &[Flags] = &[Flags::LOADING, Flags::STALE];
const ANY_ORDER: &[&str] = &["nondeterministic_output_order"];

const fn row(name: &'static str, handler: crate::table::Handler) -> Command {
    Command::running(name, Run::Here(handler)).flags(QUIET).acl(Categories::CONNECTION)
}

/// COMMAND.
pub const TABLE: &[Command] = &[row("command", all).arity(-1).tips(ANY_ORDER).subcommands(&[
    row("command|count", count).arity(2),
    row("command|docs", docs_of).arity(-2).tips(ANY_ORDER),
    row("command|getkeys", getkeys).arity(-3),
    row("command|getkeysandflags", getkeysandflags).arity(-3),
    row("command|help", help).arity(2),
    row("command|info", info).arity(-2).tips(ANY_ORDER),
    row("command|list", list).arity(-2).tips(ANY_ORDER),
])];

/// COMMAND
fn all(_: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    write_all(reply);
    Ok(())
}

fn write_all(reply: &mut Reply) {
    reply.array(Table::standard().commands().count());
    Table::standard().commands().for_each(|(_, command)| write_info(reply, command));
}

/// COMMAND COUNT
fn count(_: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    reply.integer(Table::standard().commands().count() as i64);
    Ok(())
}

/// COMMAND INFO [command-name [command-name ...]]
fn info(_: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    if args.len() == 2 {
        write_all(reply);
        return Ok(());
    }
    reply.array(args.len() - 2);
    for name in args.from(2).iter() {
        match named(name) {
            Some(command) => write_info(reply, command),
            None => reply.null(),
        }
    }
    Ok(())
}

/// The command, or with `container|sub` the subcommand, of this name.
fn named(name: &[u8]) -> Option<&'static Command> {
    let table = Table::standard();
    let mut parts = name.splitn(2, |&byte| byte == b'|');
    let found = table.find_name(parts.next()?)?;
    let found = match parts.next() {
        None => Some(found),
        Some(sub) => table.find_sub(found, sub),
    };
    found.map(|(_, command)| command)
}

fn write_info(reply: &mut Reply, command: &Command) {
    let range = command.key_range();
    reply.array(10);
    reply.bulk(command.name.as_bytes());
    reply.integer(command.arity.into());
    // Redis keeps this one to itself.
    let flags: Vec<&str> = command.flags.without(Flags::MAY_REPLICATE).words().collect();
    docs::words(reply, &flags);
    reply.integer(range.first.into());
    reply.integer(range.last.into());
    reply.integer(range.step.into());
    let categories: Vec<String> = command.categories.words().map(|word| format!("@{word}")).collect();
    docs::words(reply, &categories.iter().map(String::as_str).collect::<Vec<_>>());
    reply.set(command.tips.len());
    for tip in command.tips {
        reply.bulk(tip.as_bytes());
    }
    reply.set(command.keys.len());
    for spec in command.keys {
        write_key_spec(reply, spec);
    }
    if command.subcommands.is_empty() {
        return reply.set(0);
    }
    reply.array(command.subcommands.len());
    for sub in command.subcommands {
        write_info(reply, sub);
    }
}

fn write_key_spec(reply: &mut Reply, spec: &KeySpec) {
    reply.map(3 + usize::from(spec.notes.is_some()));
    if let Some(notes) = spec.notes {
        reply.bulk(b"notes");
        reply.bulk(notes.as_bytes());
    }
    reply.bulk(b"flags");
    docs::words(reply, spec.flags);
    reply.bulk(b"begin_search");
    match spec.begin {
        Begin::Index(at) => write_search(reply, "index", &[("index", at.into())]),
        Begin::Unknown => write_search(reply, "unknown", &[]),
        Begin::Keyword(word, from) => {
            search_type(reply, "keyword");
            reply.map(2);
            reply.bulk(b"keyword");
            reply.bulk(word.as_bytes());
            reply.bulk(b"startfrom");
            reply.integer(from.into());
        }
    }
    reply.bulk(b"find_keys");
    match spec.find {
        Find::Range { last, step, limit } => {
            let fields = [("lastkey", last.into()), ("keystep", step.into()), ("limit", limit.into())];
            write_search(reply, "range", &fields);
        }
        Find::KeyNum { at, first, step } => {
            let fields = [("keynumidx", at.into()), ("firstkey", first.into()), ("keystep", step.into())];
            write_search(reply, "keynum", &fields);
        }
        Find::Unknown => write_search(reply, "unknown", &[]),
    }
}

fn search_type(reply: &mut Reply, name: &str) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(name.as_bytes());
    reply.bulk(b"spec");
}

fn write_search(reply: &mut Reply, name: &str, fields: &[(&str, i64)]) {
    search_type(reply, name);
    reply.map(fields.len());
    for (field, number) in fields {
        reply.bulk(field.as_bytes());
        reply.integer(*number);
    }
}

/// COMMAND DOCS [command-name [command-name ...]]
fn docs_of(_: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let commands: Vec<&Command> = match args.len() {
        2 => Table::standard().commands().map(|(_, command)| command).collect(),
        _ => args.from(2).iter().filter_map(named).collect(),
    };
    reply.map(commands.len());
    for command in commands {
        let subcommands: Vec<&str> = command.subcommands.iter().map(|sub| sub.name).collect();
        reply.bulk(command.name.as_bytes());
        docs::write(reply, command.name, &subcommands);
    }
    Ok(())
}

/// Which names COMMAND LIST shows.
enum Filter<'a> {
    All,
    /// There are no modules, so none.
    Module,
    Category(Categories),
    Pattern(&'a [u8]),
}

impl<'a> Filter<'a> {
    /// COMMAND LIST [FILTERBY MODULE module-name | ACLCAT category | PATTERN pattern]
    fn parse(args: Args<'a>) -> std::result::Result<Filter<'a>, CommandError> {
        if args.len() == 2 {
            return Ok(Filter::All);
        }
        if args.len() != 5 || !args.get(2).eq_ignore_ascii_case(b"filterby") {
            return Err(CommandError::Syntax);
        }
        let value = args.get(4);
        match args.get(3).to_ascii_lowercase().as_slice() {
            b"module" => Ok(Filter::Module),
            b"pattern" => Ok(Filter::Pattern(value)),
            b"aclcat" => {
                let words = Categories::WORDS.iter();
                let mut of_name = words.filter(|(_, word)| value.eq_ignore_ascii_case(word.as_bytes()));
                Ok(Filter::Category(of_name.next().map_or(Categories::NONE, |(category, _)| *category)))
            }
            _ => Err(CommandError::Syntax),
        }
    }

    fn shows(&self, command: &Command) -> bool {
        match self {
            Filter::All => true,
            Filter::Module => false,
            Filter::Category(category) => command.categories.has(*category),
            Filter::Pattern(pattern) => config::glob::matches_ignoring_case(pattern, command.name.as_bytes()),
        }
    }
}

fn list(_: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let filter = Filter::parse(args)?;
    let names: Vec<&str> = Table::standard()
        .rows()
        .filter(|command| filter.shows(command))
        .map(|command| command.name)
        .collect();
    reply.array(names.len());
    for name in names {
        reply.bulk(name.as_bytes());
    }
    Ok(())
}

/// COMMAND GETKEYS command [arg ...]
fn getkeys(_: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let call = args.from(2);
    let keys = keys_of(call)?;
    reply.array(keys.len());
    for (at, _) in keys {
        reply.bulk(call.get(at));
    }
    Ok(())
}

/// COMMAND GETKEYSANDFLAGS command [arg ...]
fn getkeysandflags(_: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let call = args.from(2);
    let keys = keys_of(call)?;
    reply.array(keys.len());
    for (at, flags) in keys {
        reply.array(2);
        reply.bulk(call.get(at));
        docs::words(reply, flags);
    }
    Ok(())
}

type KeyFlags = &'static [&'static str];

/// The keys of a call, each with the flags of its specification.
fn keys_of(call: Args<'_>) -> std::result::Result<Vec<(usize, KeyFlags)>, CommandError> {
    let table = Table::standard();
    let mut found = table.find_name(call.get(0)).ok_or_else(CommandError::getkeys_unknown)?;
    if !found.1.subcommands.is_empty() && call.len() > 1 {
        found = table.find_sub(found, call.get(1)).ok_or_else(CommandError::getkeys_unknown)?;
    }
    let (_, command) = found;
    if command.keys.iter().all(|spec| spec.flags.contains(&"not_key")) {
        return Err(CommandError::getkeys_without_keys());
    }
    if !command.takes(call.len()) {
        return Err(CommandError::getkeys_arity());
    }
    let mut keys = Vec::new();
    let mut readable = true;
    for spec in command.keys {
        // A specification alone is read as that of a command which has no other.
        let alone = command.with_one_spec(std::slice::from_ref(spec));
        readable &= alone.for_each_key(call, |at| keys.push((at, flags_of(command, spec, call)))).is_ok();
    }
    if !readable && command.has_key_finder() {
        // As of SORT: what is read first, and what may be written.
        let (source, other) = (command.keys[0].flags, command.keys[command.keys.len() - 1].flags);
        keys.clear();
        let _ = command.for_each_key(call, |at| keys.push((at, if at == 1 { source } else { other })));
        readable = true;
    }
    if readable && !keys.is_empty() {
        Ok(keys)
    } else if command.flags.has(Flags::NO_MANDATORY_KEYS) {
        Ok(Vec::new())
    } else {
        Err(CommandError::getkeys_arguments())
    }
}

/// How this call uses the keys of a specification.
fn flags_of(command: &Command, spec: &KeySpec, call: Args<'_>) -> KeyFlags {
    if command.name != "set" {
        return spec.flags;
    }
    let reads = call.from(3).iter().any(|option| option.eq_ignore_ascii_case(b"get"));
    if reads {
        &["RW", "access", "update"]
    } else {
        &["OW", "update"]
    }
}

/// COMMAND HELP
fn help(_: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    crate::help::write(reply, "COMMAND", HELP);
    Ok(())
}

const HELP: &[&str] = &[
    "(no subcommand)",
    "    What INFO answers about all commands.",
    "COUNT",
    "    How many commands there are.",
    "DOCS [<command-name> ...]",
    "    Summaries and arguments of these commands, or of all.",
    "GETKEYS <full-command>",
    "    The keys in a command with its arguments.",
    "GETKEYSANDFLAGS <full-command>",
    "    The same, with how each key is used.",
    "INFO [<command-name> ...]",
    "    Arity, flags, keys and subcommands of these commands, or of all.",
    "LIST [FILTERBY (MODULE <module-name>|ACLCAT <category>|PATTERN <pattern>)]",
    "    The names of all commands, or of some.",
];
