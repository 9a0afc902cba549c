//! CONFIG: the directives while the node runs.
//!
//! Every core reads the version of the configuration that it has (GET); one writer, on the control
//! plane, makes a new one (SET), which all cores have before the reply leaves.
//!
//! Not here: names, bounds and refusals (`config`); trying on the machine what a directive asks for, and
//! writing the file (the shell, told by [`ControlAction`]).

use crate::exec::{ControlAction, ControlExec};
use crate::table::{Command, EveryCore, Flags, Run};
use crate::{CommandError, Exec, Gathered, Visit};
use config::SetContext;
use resp::{Args, Reply};

type Result = std::result::Result<(), CommandError>;

const ADMIN: &[Flags] = &[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE];
const TO_ALL_NODES: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];

/// CONFIG.
pub const TABLE: &[Command] = &[Command::container(
    "config",
    &[
        Command::running("config|get", Run::Here(get)).arity(-3).flags(ADMIN),
        Command::running("config|help", Run::Here(help)).arity(2).flags(&[Flags::LOADING, Flags::STALE]),
        Command::running("config|resetstat", Run::EveryCore(RESETSTAT))
            .arity(2)
            .flags(ADMIN)
            .tips(TO_ALL_NODES),
        Command::running("config|rewrite", Run::Control(rewrite)).arity(2).flags(ADMIN).tips(TO_ALL_NODES),
        Command::running("config|set", Run::Control(set)).arity(-4).flags(ADMIN).tips(TO_ALL_NODES),
    ],
)];

/// CONFIG GET pattern [pattern ...]
fn get(cx: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let patterns: Vec<&[u8]> = args.from(2).iter().collect();
    let found = cx.config.get(&patterns);
    reply.map(found.len());
    for (name, value) in &found {
        reply.bulk(name.as_bytes());
        reply.bulk(value);
    }
    Ok(())
}

/// CONFIG SET directive value [directive value ...]: all or nothing.
fn set(cx: &mut ControlExec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    if !args.len().is_multiple_of(2) {
        return Err(CommandError::Syntax);
    }
    let words: Vec<&[u8]> = args.from(2).iter().collect();
    let pairs: Vec<(&[u8], &[u8])> = words.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    let context = SetContext { client_is_local: cx.session.is_local, loading: false };
    let changed = cx.config.set(&pairs, context).map_err(|error| CommandError::config_set(&error))?;
    if !changed.is_empty() {
        cx.actions.push(ControlAction::PublishConfig);
    }
    reply.ok();
    Ok(())
}

/// CONFIG REWRITE
fn rewrite(cx: &mut ControlExec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    if cx.node.config_file.is_empty() {
        return Err(CommandError::no_config_file());
    }
    cx.actions.push(ControlAction::RewriteConfig);
    reply.ok();
    Ok(())
}

/// CONFIG RESETSTAT
const RESETSTAT: EveryCore =
    EveryCore { locked: false, check: |_, _| Ok(()), visit: resetstat_visit, finish: resetstat_finish };

fn resetstat_finish(_: &mut Exec<'_>, _: Args<'_>, _: Gathered, reply: &mut Reply) -> Result {
    reply.ok();
    Ok(())
}

fn resetstat_visit(visit: &mut Visit<'_>, _: Args<'_>, _: &mut Gathered) {
    visit.facts.totals.reset();
    visit.keyspace.reset_stats();
}

/// CONFIG HELP
fn help(_: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    crate::help::write(reply, "CONFIG", HELP);
    Ok(())
}

const HELP: &[&str] = &[
    "GET <pattern> [<pattern> ...]",
    "    The directives whose names match, with their values.",
    "SET <directive> <value> [<directive> <value> ...]",
    "    Changes all of these directives, or none.",
    "RESETSTAT",
    "    Sets the counters of INFO to zero.",
    "REWRITE",
    "    Writes the configuration in force to the configuration file.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::NodeFacts;
    use crate::scenario::MiniNode;
    use std::sync::Arc;

    #[test]
    fn only_what_changes_is_published() {
        let mut node = MiniNode::new(&[]);
        node.run("CONFIG SET timeout 0");
        node.run("CONFIG SET timeout x");
        node.run("CONFIG GET timeout");
        assert_eq!(node.actions, []);
        assert_eq!(node.run("CONFIG SET timeout 7 hz 20"), "+OK");
        assert_eq!(node.actions, [ControlAction::PublishConfig]);
        assert_eq!(node.run("CONFIG GET hz timeout"), "[\"hz\" \"20\" \"timeout\" \"7\"]");
    }

    #[test]
    fn a_file_is_rewritten_if_there_is_one() {
        let mut node = MiniNode::new(&[]);
        node.run("CONFIG REWRITE");
        assert_eq!(node.actions, []);
        let facts = NodeFacts { config_file: "/etc/ringslot.conf".to_string(), ..NodeFacts::default() };
        node.facts(0).node = Arc::new(facts);
        assert_eq!(node.run("CONFIG REWRITE"), "+OK");
        assert_eq!(node.actions, [ControlAction::RewriteConfig]);
    }
}
