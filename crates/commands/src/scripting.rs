//! FUNCTION and SCRIPT, as far as a node without scripts has them: FLUSH, after which there are none.
//!
//! Test suites and tools that begin with an empty server send both. Everything else about scripts is not
//! built and is an unknown subcommand.

use crate::table::{Categories, Command, Flags, Run};
use crate::{CommandError, Exec};
use resp::{Args, Reply};

type Result = std::result::Result<(), CommandError>;

const HELP: &[Flags] = &[Flags::LOADING, Flags::STALE];

/// FUNCTION and SCRIPT.
pub const TABLE: &[Command] = &[
    Command::container(
        "function",
        &[
            Command::running("function|flush", Run::Here(function_flush))
                .arity(-2)
                .flags(&[Flags::NOSCRIPT, Flags::WRITE])
                .acl(Categories::SCRIPTING)
                .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
            Command::running("function|help", Run::Here(function_help))
                .arity(2)
                .flags(HELP)
                .acl(Categories::SCRIPTING),
        ],
    ),
    Command::container(
        "script",
        &[
            Command::running("script|flush", Run::Here(script_flush))
                .arity(-2)
                .flags(&[Flags::NOSCRIPT])
                .acl(Categories::SCRIPTING)
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
            Command::running("script|help", Run::Here(script_help))
                .arity(2)
                .flags(HELP)
                .acl(Categories::SCRIPTING),
        ],
    ),
];

/// Whether FLUSH was given nothing, ASYNC or SYNC. As there is nothing to free, they do not differ.
fn is_flush(args: Args<'_>) -> bool {
    let is = |word: &[u8]| args.get(2).eq_ignore_ascii_case(word);
    args.len() == 2 || (args.len() == 3 && (is(b"async") || is(b"sync")))
}

/// FUNCTION FLUSH [ASYNC | SYNC]
fn function_flush(cx: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    if args.len() > 3 {
        return Err(CommandError::unknown_or_arity("FUNCTION", args.get(1)));
    }
    if !is_flush(args) {
        return Err(CommandError::function_flush_option());
    }
    // Redis counts it as a change even where there was no library.
    cx.changed(1);
    reply.ok();
    Ok(())
}

/// FUNCTION HELP
fn function_help(_: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    crate::help::write(
        reply,
        "FUNCTION",
        &["FLUSH [ASYNC|SYNC]", "    Remove all libraries, of which this node has none."],
    );
    Ok(())
}

/// SCRIPT FLUSH [ASYNC | SYNC]
fn script_flush(_: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    if !is_flush(args) {
        return Err(CommandError::script_flush_option());
    }
    reply.ok();
    Ok(())
}

/// SCRIPT HELP
fn script_help(_: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    crate::help::write(
        reply,
        "SCRIPT",
        &["FLUSH [ASYNC|SYNC]", "    Empty the cache of scripts, which this node does not have."],
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::scenario::MiniNode;

    #[test]
    fn flushing_what_is_not_there_succeeds() {
        for line in ["FUNCTION FLUSH", "function flush async", "SCRIPT FLUSH", "script flush SYNC"] {
            assert_eq!(MiniNode::new(&[]).run(line), "+OK", "{line}");
        }
    }

    #[test]
    fn a_wrong_option_is_refused() {
        let answer = |line: &str| MiniNode::new(&[]).run(line);
        assert_eq!(answer("FUNCTION FLUSH X"), "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
        assert_eq!(answer("SCRIPT FLUSH X"), "-ERR SCRIPT FLUSH only support SYNC|ASYNC option");
        assert_eq!(answer("SCRIPT FLUSH SYNC X"), "-ERR SCRIPT FLUSH only support SYNC|ASYNC option");
        assert!(answer("FUNCTION FLUSH SYNC X").starts_with("-ERR unknown subcommand or wrong number"));
    }
}
