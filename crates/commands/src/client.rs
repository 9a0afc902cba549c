//! CLIENT: this connection, and the others.
//!
//! A connection belongs to one core, so what concerns others (LIST, KILL, PAUSE, UNBLOCK) visits every
//! core. What concerns the connection itself is in the session, which travels. Its own core may know an
//! older session, so a line about the caller is made from the visiting one.
//!
//! 1. A line of CLIENT LIST has the fields of Redis 7.2 in its order. Fields that count what does not
//!    exist here (subscriptions, a queue of MULTI, separate reply buffers) say so by their zeros.
//! 2. Not built: TRACKING, CACHING, GETREDIR and TRACKINGINFO.

use crate::connection::{client_name, is_attribute};
use crate::exec::{ClientRow, ReplyMode};
use crate::table::{Categories, Command, EveryCore, Flags, Handler, Run};
use crate::{CommandError, Exec, Gathered, Session, Table, Visit};
use resp::{parse_integer, Args, Protocol, Reply};
use std::io::Write;
use std::sync::Arc;

type Result<T = ()> = std::result::Result<T, CommandError>;

const OWN: &[Flags] = &[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE];
const ADMIN: &[Flags] = &[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE];
const VARIES: &[&str] = &["nondeterministic_output"];
const TO_ALL_NODES: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];

const fn here(name: &'static str, handler: Handler) -> Command {
    Command::running(name, Run::Here(handler)).acl(Categories::CONNECTION)
}

const fn visits(name: &'static str, every: EveryCore) -> Command {
    Command::running(name, Run::EveryCore(every)).acl(Categories::CONNECTION)
}

/// CLIENT.
pub const TABLE: &[Command] = &[Command::container(
    "client",
    &[
        here("client|getname", getname).arity(2).flags(OWN),
        here("client|help", help).arity(2).flags(&[Flags::LOADING, Flags::STALE]),
        here("client|id", id).arity(2).flags(OWN),
        visits("client|info", INFO).arity(2).flags(OWN).tips(VARIES),
        visits("client|kill", KILL).arity(-3).flags(ADMIN),
        visits("client|list", LIST).arity(-2).flags(ADMIN).tips(VARIES),
        here("client|no-evict", no_evict).arity(3).flags(ADMIN),
        here("client|no-touch", no_touch).arity(3).flags(OWN),
        visits("client|pause", PAUSE).arity(-3).flags(ADMIN),
        here("client|reply", reply_mode).arity(3).flags(OWN),
        here("client|setinfo", setinfo).arity(4).flags(OWN).tips(TO_ALL_NODES),
        here("client|setname", setname).arity(3).flags(OWN).tips(TO_ALL_NODES),
        visits("client|unblock", UNBLOCK).arity(-3).flags(ADMIN),
        visits("client|unpause", UNPAUSE).arity(2).flags(ADMIN),
    ],
)];

const fn unlocked(
    check: fn(&Exec<'_>, Args<'_>) -> Result,
    visit: fn(&mut Visit<'_>, Args<'_>, &mut Gathered),
    finish: fn(&mut Exec<'_>, Args<'_>, Gathered, &mut Reply) -> Result,
) -> EveryCore {
    EveryCore { locked: false, check, visit, finish }
}

const INFO: EveryCore = unlocked(no_check, info_visit, info_finish);
const KILL: EveryCore = unlocked(kill_check, kill_visit, kill_finish);
const LIST: EveryCore = unlocked(list_check, list_visit, list_finish);
const PAUSE: EveryCore = unlocked(pause_check, pause_visit, ok_finish);
const UNBLOCK: EveryCore = unlocked(unblock_check, unblock_visit, unblock_finish);
const UNPAUSE: EveryCore = unlocked(no_check, unpause_visit, ok_finish);

/// CLIENT ID
fn id(cx: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    reply.integer(cx.session.id as i64);
    Ok(())
}

/// CLIENT GETNAME
fn getname(cx: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    match &cx.session.name {
        Some(name) => reply.bulk(name),
        None => reply.null(),
    }
    Ok(())
}

/// CLIENT SETNAME name
fn setname(cx: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    cx.session.name = client_name(args.get(2))?;
    reply.ok();
    Ok(())
}

/// CLIENT SETINFO LIB-NAME name | LIB-VER version
fn setinfo(cx: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let (option, value) = (args.get(2), args.get(3));
    let field = if option.eq_ignore_ascii_case(b"lib-name") {
        &mut cx.session.lib_name
    } else if option.eq_ignore_ascii_case(b"lib-ver") {
        &mut cx.session.lib_ver
    } else {
        return Err(CommandError::unknown_client_info(option));
    };
    if !is_attribute(value) {
        return Err(CommandError::bad_client_info(option));
    }
    *field = (!value.is_empty()).then(|| Arc::from(value));
    reply.ok();
    Ok(())
}

/// CLIENT REPLY ON | OFF | SKIP. `node` withholds the replies; here nothing is said where Redis is
/// silent.
fn reply_mode(cx: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let word = args.get(2);
    if word.eq_ignore_ascii_case(b"on") {
        cx.session.reply_mode = ReplyMode::On;
        reply.ok();
    } else if word.eq_ignore_ascii_case(b"off") {
        cx.session.reply_mode = ReplyMode::Off;
    } else if word.eq_ignore_ascii_case(b"skip") {
        if cx.session.reply_mode != ReplyMode::Off {
            cx.session.reply_mode = ReplyMode::SkipNext;
        }
    } else {
        return Err(CommandError::Syntax);
    }
    Ok(())
}

/// CLIENT NO-EVICT ON | OFF
fn no_evict(cx: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    cx.session.no_evict = on_or_off(args.get(2))?;
    reply.ok();
    Ok(())
}

/// CLIENT NO-TOUCH ON | OFF
fn no_touch(cx: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    cx.session.no_touch = on_or_off(args.get(2))?;
    reply.ok();
    Ok(())
}

fn on_or_off(word: &[u8]) -> Result<bool> {
    match word {
        _ if word.eq_ignore_ascii_case(b"on") => Ok(true),
        _ if word.eq_ignore_ascii_case(b"off") => Ok(false),
        _ => Err(CommandError::Syntax),
    }
}

// Lines.

/// The classes of clients that LIST and KILL select by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientType {
    Normal,
    Primary,
    Replica,
    PubSub,
}

impl ClientType {
    fn parse(word: &[u8]) -> Result<ClientType> {
        const WORDS: &[(&str, ClientType)] = &[
            ("normal", ClientType::Normal),
            ("slave", ClientType::Replica),
            ("replica", ClientType::Replica),
            ("pubsub", ClientType::PubSub),
            ("master", ClientType::Primary),
        ];
        let found = WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, class)| *class).ok_or_else(|| CommandError::unknown_client_type(word))
    }

    fn of(row: &ClientRow) -> ClientType {
        match row.flags {
            flags if flags.contains('M') => ClientType::Primary,
            flags if flags.contains('S') => ClientType::Replica,
            flags if flags.contains('P') => ClientType::PubSub,
            _ => ClientType::Normal,
        }
    }
}

/// The line of a client; `session` is its newest.
fn line(row: &ClientRow, session: &Session) -> Vec<u8> {
    let text = |field: &Option<Arc<[u8]>>| -> Vec<u8> { field.as_deref().unwrap_or_default().to_vec() };
    let (name, lib_name, lib_ver) = (text(&session.name), text(&session.lib_name), text(&session.lib_ver));
    let mut line = Vec::with_capacity(400);
    let mut write = |part: std::fmt::Arguments<'_>| {
        line.write_fmt(part).expect("a vector takes all that is written");
    };
    write(format_args!(
        "id={} addr={} laddr={} fd={} name=",
        session.id, session.peer, session.local, row.fd
    ));
    line.extend_from_slice(&name);
    let mut write = |part: std::fmt::Arguments<'_>| {
        line.write_fmt(part).expect("a vector takes all that is written");
    };
    write(format_args!(
        " age={} idle={} flags={} db={} sub=0 psub=0 ssub=0 multi=-1",
        row.age_s,
        row.idle_s,
        flags(row, session),
        session.db
    ));
    write(format_args!(
        " qbuf={} qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll={} omem={} tot-mem={}",
        row.query_bytes,
        u8::from(row.output_bytes > 0),
        row.output_bytes,
        row.query_bytes + row.output_bytes,
    ));
    write(format_args!(
        " events=r cmd={} user=default redir=-1 resp={} lib-name=",
        Table::standard().name_at(session.last_command).unwrap_or("NULL"),
        if session.protocol == Protocol::Resp3 { 3 } else { 2 },
    ));
    line.extend_from_slice(&lib_name);
    line.extend_from_slice(b" lib-ver=");
    line.extend_from_slice(&lib_ver);
    line.push(b'\n');
    line
}

/// The letters of a client's state: what its core says (`row.flags`) and what its session says.
fn flags(row: &ClientRow, session: &Session) -> String {
    let mut letters: String = row.flags.chars().filter(|letter| *letter != 'N').collect();
    let of_session = [(session.readonly, 'r'), (session.no_evict, 'e'), (session.no_touch, 'T')];
    for (set, letter) in of_session {
        if set && !letters.contains(letter) {
            letters.push(letter);
        }
    }
    if letters.is_empty() {
        letters.push('N');
    }
    letters
}

fn session_of<'a>(visit: &'a Visit<'_>, row: &'a ClientRow) -> &'a Session {
    if row.session.id == visit.session.id {
        visit.session
    } else {
        &row.session
    }
}

/// CLIENT INFO
fn info_visit(visit: &mut Visit<'_>, _: Args<'_>, gathered: &mut Gathered) {
    visit.clients.each(&mut |row| {
        if row.session.id == visit.session.id {
            gathered.rows.push(line(row, visit.session));
        }
    });
}

fn info_finish(_: &mut Exec<'_>, _: Args<'_>, gathered: Gathered, reply: &mut Reply) -> Result {
    reply.verbatim("txt", &gathered.rows.concat());
    Ok(())
}

/// What CLIENT LIST shall show.
enum Selection {
    All,
    OfType(ClientType),
    Ids(Vec<u64>),
}

/// CLIENT LIST [TYPE type | ID id [id ...]]
fn selection(args: Args<'_>) -> Result<Selection> {
    let is = |word: &str| args.try_get(2).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    if args.len() == 2 {
        Ok(Selection::All)
    } else if args.len() == 4 && is("type") {
        ClientType::parse(args.get(3)).map(Selection::OfType)
    } else if args.len() > 3 && is("id") {
        // A number below zero is an id that nobody has.
        let id = |arg| parse_integer(arg).ok_or_else(CommandError::bad_client_id);
        let ids = args.from(3).iter().map(|arg| id(arg).map(|id| id as u64));
        ids.collect::<Result<_>>().map(Selection::Ids)
    } else {
        Err(CommandError::Syntax)
    }
}

fn list_check(_: &Exec<'_>, args: Args<'_>) -> Result {
    selection(args).map(|_| ())
}

fn list_visit(visit: &mut Visit<'_>, args: Args<'_>, gathered: &mut Gathered) {
    let selection = selection(args).expect("the check has passed");
    visit.clients.each(&mut |row| {
        let wanted = match &selection {
            Selection::All => true,
            Selection::OfType(class) => ClientType::of(row) == *class,
            Selection::Ids(ids) => ids.contains(&row.session.id),
        };
        if wanted {
            gathered.numbered.push((row.session.id, line(row, session_of(visit, row))));
        }
    });
}

fn list_finish(_: &mut Exec<'_>, args: Args<'_>, mut gathered: Gathered, reply: &mut Reply) -> Result {
    gathered.numbered.sort_by_key(|(id, _)| *id);
    let lines = &gathered.numbered;
    let text: Vec<u8> = match selection(args)? {
        // In the order of the request, and twice if asked twice.
        Selection::Ids(ids) => {
            let line_of =
                |id: &u64| lines.binary_search_by_key(id, |(id, _)| *id).ok().map(|at| &lines[at].1[..]);
            ids.iter().filter_map(line_of).collect::<Vec<_>>().concat()
        }
        _ => lines.iter().map(|(_, line)| &line[..]).collect::<Vec<_>>().concat(),
    };
    reply.verbatim("txt", &text);
    Ok(())
}

// KILL.

/// Whom CLIENT KILL shall close: all that the filter's every part agrees with.
#[derive(Default)]
struct Filter<'a> {
    address: Option<&'a [u8]>,
    local_address: Option<&'a [u8]>,
    class: Option<ClientType>,
    id: Option<u64>,
    older_than_s: Option<u64>,
    spare_caller: bool,
}

/// CLIENT KILL address | option value [option value ...]
fn filter(args: Args<'_>) -> Result<Filter<'_>> {
    if args.len() == 3 {
        return Ok(Filter { address: Some(args.get(2)), ..Filter::default() });
    }
    let mut filter = Filter { spare_caller: true, ..Filter::default() };
    let mut at = 2;
    while at < args.len() {
        let option = args.get(at);
        let is = |word: &str| option.eq_ignore_ascii_case(word.as_bytes());
        let value = args.try_get(at + 1).ok_or(CommandError::Syntax)?;
        if is("id") {
            let id = parse_integer(value).filter(|id| *id > 0);
            filter.id = Some(id.ok_or_else(CommandError::client_id_not_positive)? as u64);
        } else if is("maxage") {
            let age = parse_integer(value).ok_or_else(CommandError::maxage_not_integer)?;
            let age = u64::try_from(age).ok().filter(|age| *age > 0);
            filter.older_than_s = Some(age.ok_or_else(CommandError::maxage_not_positive)?);
        } else if is("type") {
            filter.class = Some(ClientType::parse(value)?);
        } else if is("addr") {
            filter.address = Some(value);
        } else if is("laddr") {
            filter.local_address = Some(value);
        } else if is("user") {
            if value != b"default" {
                return Err(CommandError::no_such_user(value));
            }
        } else if is("skipme") {
            filter.spare_caller = match value {
                _ if value.eq_ignore_ascii_case(b"yes") => true,
                _ if value.eq_ignore_ascii_case(b"no") => false,
                _ => return Err(CommandError::Syntax),
            };
        } else {
            return Err(CommandError::Syntax);
        }
        at += 2;
    }
    Ok(filter)
}

impl Filter<'_> {
    fn matches(&self, row: &ClientRow, caller: u64) -> bool {
        let id = row.session.id;
        self.address.is_none_or(|address| address == row.session.peer.as_bytes())
            && self.local_address.is_none_or(|address| address == row.session.local.as_bytes())
            && self.class.is_none_or(|class| class == ClientType::of(row))
            && self.id.is_none_or(|wanted| wanted == id)
            && self.older_than_s.is_none_or(|age| row.age_s >= age)
            && !(self.spare_caller && id == caller)
    }
}

fn kill_check(_: &Exec<'_>, args: Args<'_>) -> Result {
    filter(args).map(|_| ())
}

fn kill_visit(visit: &mut Visit<'_>, args: Args<'_>, gathered: &mut Gathered) {
    let filter = filter(args).expect("the check has passed");
    let caller = visit.session.id;
    let mut condemned = Vec::new();
    visit.clients.each(&mut |row| {
        if filter.matches(row, caller) {
            condemned.push(row.session.id);
        }
    });
    for id in condemned {
        visit.clients.kill(id, id == caller);
        gathered.numbered.push((id, Vec::new()));
    }
}

fn kill_finish(cx: &mut Exec<'_>, args: Args<'_>, gathered: Gathered, reply: &mut Reply) -> Result {
    let killed = gathered.numbered;
    if args.len() > 3 {
        reply.integer(killed.len() as i64);
    } else if killed.is_empty() {
        return Err(CommandError::no_such_client());
    } else {
        reply.ok();
    }
    if killed.iter().any(|(id, _)| *id == cx.session.id) {
        cx.session.close = true;
    }
    Ok(())
}

// PAUSE and UNBLOCK.

/// CLIENT PAUSE timeout [WRITE | ALL]: until when, unix ms, and whether reads pass.
fn pause_arguments(args: Args<'_>, now_ms: u64) -> Result<(u64, bool)> {
    let writes_only = match args.try_get(3) {
        None => false,
        Some(mode) if mode.eq_ignore_ascii_case(b"all") => false,
        Some(mode) if mode.eq_ignore_ascii_case(b"write") => true,
        Some(_) => return Err(CommandError::bad_pause_mode()),
    };
    let end = crate::blocking::until_of_milliseconds(args.get(2), now_ms)?;
    Ok((end.unwrap_or(0), writes_only))
}

fn pause_check(cx: &Exec<'_>, args: Args<'_>) -> Result {
    if args.len() > 4 {
        return Err(CommandError::unknown_or_arity("CLIENT", args.get(1)));
    }
    pause_arguments(args, cx.now.unix_ms()).map(|_| ())
}

fn pause_visit(visit: &mut Visit<'_>, args: Args<'_>, _: &mut Gathered) {
    // A later visit has a later clock, for which a timeout just within bounds may be too long.
    let Ok((until_ms, writes_only)) = pause_arguments(args, visit.now.unix_ms()) else { return };
    visit.clients.pause(until_ms, writes_only);
}

fn unpause_visit(visit: &mut Visit<'_>, _: Args<'_>, _: &mut Gathered) {
    visit.clients.unpause();
}

fn no_check(_: &Exec<'_>, _: Args<'_>) -> Result {
    Ok(())
}

fn ok_finish(_: &mut Exec<'_>, _: Args<'_>, _: Gathered, reply: &mut Reply) -> Result {
    reply.ok();
    Ok(())
}

/// CLIENT UNBLOCK client-id [TIMEOUT | ERROR]: whom, and whether with an error.
fn unblock_arguments(args: Args<'_>) -> Result<(i64, bool)> {
    let with_error = match args.try_get(3) {
        None => false,
        Some(reason) if reason.eq_ignore_ascii_case(b"timeout") => false,
        Some(reason) if reason.eq_ignore_ascii_case(b"error") => true,
        Some(_) => return Err(CommandError::bad_unblock_reason()),
    };
    Ok((parse_integer(args.get(2)).ok_or(CommandError::NotInteger)?, with_error))
}

fn unblock_check(_: &Exec<'_>, args: Args<'_>) -> Result {
    if args.len() > 4 {
        return Err(CommandError::unknown_or_arity("CLIENT", args.get(1)));
    }
    unblock_arguments(args).map(|_| ())
}

fn unblock_visit(visit: &mut Visit<'_>, args: Args<'_>, gathered: &mut Gathered) {
    let (id, with_error) = unblock_arguments(args).expect("the check has passed");
    if u64::try_from(id).is_ok_and(|id| visit.clients.unblock(id, with_error)) {
        gathered.count += 1;
    }
}

fn unblock_finish(_: &mut Exec<'_>, _: Args<'_>, gathered: Gathered, reply: &mut Reply) -> Result {
    reply.integer(gathered.count as i64);
    Ok(())
}

/// CLIENT HELP
fn help(_: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    crate::help::write(reply, "CLIENT", HELP);
    Ok(())
}

const HELP: &[&str] = &[
    "GETNAME",
    "    The name of this connection.",
    "ID",
    "    The id of this connection.",
    "INFO",
    "    The line of CLIENT LIST about this connection.",
    "KILL <ip:port>",
    "    Closes the connection from this address.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Closes the connections for which all of these hold:",
    "    * ADDR (<ip:port>|<unixsocket>:0)",
    "      It comes from this address.",
    "    * LADDR (<ip:port>|<unixsocket>:0)",
    "      It was accepted on this address.",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      It is of this type.",
    "    * USER <username>",
    "      It is authenticated as this user.",
    "    * ID <client-id>",
    "      It has this id.",
    "    * MAXAGE <seconds>",
    "      It is at least so old.",
    "    * SKIPME (YES|NO)",
    "      Whether the connection that asks is spared (default: yes).",
    "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB) | ID <client-id> [<client-id> ...]]",
    "    A line for each connection.",
    "NO-EVICT (ON|OFF)",
    "    Whether this connection is exempt from eviction of clients.",
    "NO-TOUCH (ON|OFF)",
    "    Whether the commands of this connection leave access times alone.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Postpones all commands, or those that write, for so many milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Whether this connection gets replies; SKIP drops that of the next command.",
    "SETINFO (LIB-NAME|LIB-VER) <value>",
    "    What library the client uses.",
    "SETNAME <name>",
    "    Names this connection.",
    "UNBLOCK <client-id> [TIMEOUT|ERROR]",
    "    Ends the wait of a blocked client.",
    "UNPAUSE",
    "    Ends a pause.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{MiniNode, CALLER};

    #[test]
    fn reply_mode_is_set_and_silence_is_kept() {
        let mut node = MiniNode::new(&[]);
        assert_eq!(node.run("CLIENT REPLY SKIP"), "none");
        assert_eq!(node.session.reply_mode, ReplyMode::SkipNext);
        assert_eq!(node.run("CLIENT REPLY OFF"), "none");
        assert_eq!(node.run("CLIENT REPLY SKIP"), "none");
        assert_eq!(node.session.reply_mode, ReplyMode::Off, "skipping one of none changes nothing");
        assert_eq!(node.run("CLIENT REPLY ON"), "+OK");
        assert_eq!(node.session.reply_mode, ReplyMode::On);
    }

    #[test]
    fn a_pause_reaches_every_core_and_ends() {
        let mut node = MiniNode::new(&[]);
        let now_ms = node.now.unix_ms();
        assert_eq!(node.run("CLIENT PAUSE 500 WRITE"), "+OK");
        assert_eq!(node.clients(0).paused, Some((now_ms + 500, true)));
        assert_eq!(node.clients(1).paused, Some((now_ms + 500, true)));
        assert_eq!(node.run("CLIENT PAUSE 0"), "+OK");
        assert_eq!(node.clients(1).paused, Some((0, false)), "a time that is over");
        assert_eq!(node.run("CLIENT UNPAUSE"), "+OK");
        assert_eq!(node.clients(0).paused, None);
    }

    #[test]
    fn whoever_waits_is_unblocked_where_it_is() {
        let mut node = MiniNode::new(&[]);
        node.clients(1).blocked = vec![8, 9];
        assert_eq!(node.run("CLIENT UNBLOCK 8"), ":1");
        assert_eq!(node.run("CLIENT UNBLOCK 9 ERROR"), ":1");
        assert_eq!(node.run("CLIENT UNBLOCK 10"), ":0");
        assert_eq!(node.run("CLIENT UNBLOCK -8"), ":0");
        assert_eq!(node.clients(1).unblocked, [(8, false), (9, true)]);
    }

    #[test]
    fn who_kills_itself_gets_its_reply_first() {
        let mut node = MiniNode::new(&[]);
        let mine = node.session.peer.clone();
        assert_eq!(node.run(&format!("CLIENT KILL ADDR {mine}")), ":0");
        assert!(!node.session.close);
        assert_eq!(node.run(&format!("CLIENT KILL ADDR {mine} SKIPME no")), ":1");
        assert!(node.session.close);
        let mut node = MiniNode::new(&[]);
        assert_eq!(node.run(&format!("CLIENT KILL {mine}")), "+OK");
        assert!(node.session.close);
        assert_eq!(node.clients(0).rows.len(), 2, "its own core closes it, after the reply");
        assert_eq!(node.session.id, CALLER);
    }

    #[test]
    fn a_line_about_the_caller_is_of_its_newest_session() {
        let mut node = MiniNode::new(&[]);
        node.run("CLIENT SETNAME fresh");
        node.run("SELECT 4");
        for line in [node.run("CLIENT INFO"), node.run(&format!("CLIENT LIST ID {CALLER}"))] {
            assert!(line.contains(" name=fresh ") && line.contains(" db=4 "), "{line}");
        }
        assert!(node.run("CLIENT LIST ID 8").contains(" cmd=NULL "));
    }

    #[test]
    fn what_a_core_says_of_a_client_is_kept_beside_its_session() {
        let mut node = MiniNode::new(&[]);
        let row = &mut node.clients(1).rows[0];
        (row.flags, row.query_bytes, row.output_bytes) = ("bU", 10, 500);
        row.session.no_evict = true;
        row.session.lib_name = Some(Arc::from(&b"lib"[..]));
        let line = node.run("CLIENT LIST ID 8");
        for part in [" flags=bUe ", " qbuf=10 ", " oll=1 omem=500 tot-mem=510 ", " lib-name=lib "] {
            assert!(line.contains(part), "{part} in {line}");
        }
        node.clients(1).rows[1].flags = "P";
        assert!(node.run("CLIENT LIST TYPE pubsub").starts_with("\"id=9 "));
        assert_eq!(node.run("CLIENT KILL TYPE pubsub"), ":1");
    }
}
