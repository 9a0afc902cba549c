//! Server commands that need little: TIME and SHUTDOWN.
//!
//! The wide ones have files of their own: `info.rs`, `config_cmd.rs`, `command.rs`, `debug.rs`. What
//! empties or counts databases is with the keys.

use crate::exec::{ControlAction, ControlExec};
use crate::table::{Command, Flags, Run};
use crate::{CommandError, Exec};
use resp::{Args, Reply};

type Result = std::result::Result<(), CommandError>;

/// TIME and SHUTDOWN.
pub const TABLE: &[Command] = &[
    Command::running("shutdown", Run::Control(shutdown)).arity(-1).flags(&[
        Flags::ADMIN,
        Flags::NOSCRIPT,
        Flags::LOADING,
        Flags::STALE,
        Flags::NO_MULTI,
        Flags::ALLOW_BUSY,
    ]),
    Command::running("time", Run::Here(time))
        .arity(1)
        .flags(&[Flags::LOADING, Flags::STALE, Flags::FAST])
        .tips(&["nondeterministic_output"]),
];

/// TIME: unix seconds, and the microseconds beyond them.
fn time(cx: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    reply.array(2);
    reply.bulk_integer((cx.now.unix_us / 1_000_000) as i64);
    reply.bulk_integer((cx.now.unix_us % 1_000_000) as i64);
    Ok(())
}

/// SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]
///
/// There is nothing to save or to wait for yet, so all ways to stop are the same one, and by the time
/// an ABORT could arrive the node is gone.
fn shutdown(cx: &mut ControlExec<'_>, args: Args<'_>, _: &mut Reply) -> Result {
    let (mut save, mut nosave, mut hurry, mut abort) = (false, false, false, false);
    for word in args.from(1).iter() {
        let flag = match word.to_ascii_lowercase().as_slice() {
            b"nosave" => &mut nosave,
            b"save" => &mut save,
            b"now" | b"force" => &mut hurry,
            b"abort" => &mut abort,
            _ => return Err(CommandError::Syntax),
        };
        *flag = true;
    }
    if (save && nosave) || (abort && (save || nosave || hurry)) {
        return Err(CommandError::Syntax);
    }
    if abort {
        return Err(CommandError::no_shutdown());
    }
    cx.actions.push(ControlAction::Stop);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::MiniNode;

    #[test]
    fn shutdown_says_nothing_and_stops() {
        for line in ["SHUTDOWN", "shutdown nosave", "SHUTDOWN SAVE NOW FORCE", "SHUTDOWN NOW NOW"] {
            let mut node = MiniNode::new(&[]);
            assert_eq!(node.run(line), "none");
            assert_eq!(node.actions, [ControlAction::Stop]);
        }
        let mut node = MiniNode::new(&[]);
        node.run("SHUTDOWN ABORT");
        node.run("SHUTDOWN SAVE NOSAVE");
        assert_eq!(node.actions, []);
    }

    #[test]
    fn time_is_that_of_the_turn() {
        assert_eq!(MiniNode::new(&[]).run("TIME"), "[\"1700000000\" \"123456\"]");
    }
}
