//! Connection commands, and those that set a cluster client's mode.
//!
//! They read and change the [`Session`](crate::Session), which travels with its client's commands, so
//! they run on whatever core holds it. CLIENT is in `client.rs`.
//!
//! 1. Nobody but the user `default` exists; its password is `requirepass`. Without one every
//!    client is authenticated from the start, and AUTH with a user's name takes any password.
//! 2. HELLO changes nothing unless all its options are good and the client is, or by its AUTH becomes,
//!    authenticated.

use crate::exec::ReplyMode;
use crate::facts::REDIS_VERSION;
use crate::table::{Categories, Command, Flags, Handler, Run};
use crate::{CommandError, Exec};
use resp::{parse_integer, Args, Protocol, Reply};
use std::sync::Arc;

type Result = std::result::Result<(), CommandError>;

/// What a client may send at any time.
const ALWAYS: &[Flags] =
    &[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE, Flags::FAST, Flags::NO_AUTH, Flags::ALLOW_BUSY];
const QUIET: &[Flags] = &[Flags::LOADING, Flags::STALE, Flags::FAST];
const TO_ALL_SHARDS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];

const fn row(name: &'static str, handler: Handler) -> Command {
    Command::running(name, Run::Here(handler)).acl(Categories::CONNECTION)
}

/// Connections, without CLIENT.
pub const TABLE: &[Command] = &[
    row("asking", asking).arity(1).flags(&[Flags::FAST]),
    row("auth", auth).arity(-2).flags(ALWAYS),
    row("echo", echo).arity(2).flags(QUIET),
    row("hello", hello).arity(-1).flags(ALWAYS),
    row("ping", ping).arity(-1).flags(&[Flags::FAST]).tips(TO_ALL_SHARDS),
    row("quit", quit).arity(-1).flags(ALWAYS),
    row("readonly", readonly).arity(1).flags(QUIET),
    row("readwrite", readwrite).arity(1).flags(QUIET),
    row("reset", reset).arity(1).flags(ALWAYS),
    row("select", select).arity(2).flags(QUIET),
];

/// AUTH [username] password
fn auth(cx: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let (user, password) = match args.len() {
        2 if cx.config.requirepass().is_none() => return Err(CommandError::no_password_is_set()),
        2 => (&b"default"[..], args.get(1)),
        3 => (args.get(1), args.get(2)),
        _ => return Err(CommandError::Syntax),
    };
    authenticate(cx, user, password)?;
    reply.ok();
    Ok(())
}

fn authenticate(cx: &mut Exec<'_>, user: &[u8], password: &[u8]) -> Result {
    let good = user == b"default"
        && match cx.config.requirepass() {
            Some(wanted) => equal_in_constant_time(wanted, password),
            None => true,
        };
    if !good {
        return Err(CommandError::wrong_password());
    }
    cx.session.authenticated = true;
    Ok(())
}

/// Compares without telling by its duration how much was right; only the length of what the client
/// itself has sent shows.
fn equal_in_constant_time(wanted: &[u8], given: &[u8]) -> bool {
    let mut difference = wanted.len() ^ given.len();
    for (i, byte) in given.iter().enumerate() {
        difference |= usize::from(byte ^ wanted[i % wanted.len()]);
    }
    difference == 0
}

/// HELLO [protover [AUTH username password] [SETNAME clientname]]
fn hello(cx: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let protocol = match args.try_get(1).map(parse_integer) {
        None => None,
        Some(None) => return Err(CommandError::protocol_not_integer()),
        Some(Some(2)) => Some(Protocol::Resp2),
        Some(Some(3)) => Some(Protocol::Resp3),
        Some(Some(_)) => return Err(CommandError::unknown_protocol()),
    };
    let (mut credentials, mut name) = (None, None);
    let mut at = 2;
    while at < args.len() {
        let (option, more) = (args.get(at), args.len() - 1 - at);
        if option.eq_ignore_ascii_case(b"AUTH") && more >= 2 {
            credentials = Some((args.get(at + 1), args.get(at + 2)));
            at += 3;
        } else if option.eq_ignore_ascii_case(b"SETNAME") && more >= 1 {
            name = Some(client_name(args.get(at + 1))?);
            at += 2;
        } else {
            return Err(CommandError::hello_option(option));
        }
    }
    if let Some((user, password)) = credentials {
        authenticate(cx, user, password)?;
    }
    if !cx.session.authenticated {
        return Err(CommandError::hello_before_auth());
    }
    if let Some(name) = name {
        cx.session.name = name;
    }
    if let Some(protocol) = protocol {
        cx.session.protocol = protocol;
        reply.set_protocol(protocol);
    }
    reply.map(7);
    reply.bulk(b"server");
    reply.bulk(b"redis");
    reply.bulk(b"version");
    reply.bulk(REDIS_VERSION.as_bytes());
    reply.bulk(b"proto");
    reply.integer(if cx.session.protocol == Protocol::Resp3 { 3 } else { 2 });
    reply.bulk(b"id");
    reply.integer(cx.session.id as i64);
    reply.bulk(b"mode");
    reply.bulk(if cx.config.cluster_enabled() { b"cluster" } else { b"standalone" });
    reply.bulk(b"role");
    reply.bulk(b"master");
    reply.bulk(b"modules");
    reply.array(0);
    Ok(())
}

/// A name for CLIENT LIST: none if empty, and never one that would break its lines. As in Redis, what
/// follows a zero byte is not looked at.
pub(crate) fn client_name(name: &[u8]) -> std::result::Result<Option<Arc<[u8]>>, CommandError> {
    if !is_attribute(name) {
        return Err(CommandError::bad_client_name());
    }
    Ok((!name.is_empty()).then(|| name.into()))
}

/// Whether a text can stand in a field of CLIENT LIST.
pub(crate) fn is_attribute(text: &[u8]) -> bool {
    text.iter().take_while(|&&byte| byte != 0).all(u8::is_ascii_graphic)
}

/// PING [message]
fn ping(_: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    match args.len() {
        1 => reply.simple("PONG"),
        2 => reply.bulk(args.get(1)),
        _ => return Err(CommandError::WrongArity("ping")),
    }
    Ok(())
}

/// ECHO message
fn echo(_: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    reply.bulk(args.get(1));
    Ok(())
}

/// QUIT
fn quit(cx: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    cx.session.close = true;
    reply.ok();
    Ok(())
}

/// RESET: all but the id and what the library said of itself.
fn reset(cx: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    let session = &mut *cx.session;
    session.db = 0;
    session.protocol = Protocol::Resp2;
    session.authenticated = cx.config.requirepass().is_none();
    session.name = None;
    session.asking = false;
    session.readonly = false;
    session.reply_mode = ReplyMode::On;
    session.no_touch = false;
    session.no_evict = false;
    reply.set_protocol(Protocol::Resp2);
    reply.simple("RESET");
    Ok(())
}

/// SELECT index
fn select(cx: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let index = parse_integer(args.get(1)).ok_or(CommandError::NotInteger)?;
    let index =
        i32::try_from(index).map_err(|_| CommandError::not_between(i32::MIN.into(), i32::MAX.into()))?;
    if cx.config.cluster_enabled() && index != 0 {
        return Err(CommandError::select_in_cluster());
    }
    // More databases than `u16` counts are accepted by the configuration, and cannot be reached.
    let db = u16::try_from(index).ok().filter(|&db| u32::from(db) < cx.config.databases());
    cx.session.db = db.ok_or(CommandError::NoSuchDb)?;
    reply.ok();
    Ok(())
}

/// READONLY
fn readonly(cx: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    in_cluster(cx)?;
    cx.session.readonly = true;
    reply.ok();
    Ok(())
}

/// READWRITE
fn readwrite(cx: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    in_cluster(cx)?;
    cx.session.readonly = false;
    reply.ok();
    Ok(())
}

/// ASKING
fn asking(cx: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    in_cluster(cx)?;
    cx.session.asking = true;
    reply.ok();
    Ok(())
}

fn in_cluster(cx: &Exec<'_>) -> Result {
    if cx.config.cluster_enabled() {
        Ok(())
    } else {
        Err(CommandError::not_a_cluster())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::MiniNode;

    #[test]
    fn the_session_is_left_as_asked() {
        let mut node = MiniNode::new(&[("cluster-enabled", "yes")]);
        node.run("READONLY");
        node.run("ASKING");
        assert!(node.session.readonly && node.session.asking);
        node.run("READWRITE");
        assert!(!node.session.readonly && node.session.asking);
        node.run("READONLY");
        node.run("HELLO 3 SETNAME me");
        node.run("CLIENT NO-TOUCH ON");
        assert_eq!(node.run("RESET"), "+RESET");
        let session = &node.session;
        assert!(!session.readonly && !session.asking && !session.no_touch && session.name.is_none());
        assert_eq!(session.protocol, Protocol::Resp2);
        node.run("QUIT");
        assert!(node.session.close);
    }

    #[test]
    fn a_refused_hello_changes_nothing() {
        let mut node = MiniNode::new(&[("requirepass", "secret")]);
        for line in [
            "HELLO 3",
            "HELLO 3 AUTH default wrong SETNAME x",
            "HELLO 3 AUTH default secret SETNAME \"a b\"",
            "HELLO 3 AUTH default secret FOO",
            "AUTH wrong",
        ] {
            assert!(node.run(line).starts_with('-'), "{line}");
            assert!(!node.session.authenticated, "{line}");
            assert_eq!(node.session.protocol, Protocol::Resp2);
            assert_eq!(node.session.name, None);
        }
        assert!(node.run("HELLO 3 AUTH default secret SETNAME x").starts_with('{'));
        assert!(node.session.authenticated && node.session.name.is_some());
        // A wrong password later does not take away what the right one gave.
        node.run("AUTH wrong");
        assert!(node.session.authenticated);
        node.run("RESET");
        assert!(!node.session.authenticated);
    }

    #[test]
    fn passwords_are_equal_only_to_themselves() {
        for (wanted, given, equal) in [
            ("a", "a", true),
            ("a", "", false),
            ("a", "aa", false),
            ("ab", "ab", true),
            ("ab", "aba", false),
            ("ab", "abab", false),
        ] {
            assert_eq!(
                equal_in_constant_time(wanted.as_bytes(), given.as_bytes()),
                equal,
                "{wanted} {given}"
            );
        }
    }
}
