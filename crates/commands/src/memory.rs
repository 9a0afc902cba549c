//! MEMORY: what keys and values take. Only USAGE and HELP are there; the others tell of an allocator that this
//! is not.
//!
//! What a value takes is known without counting, so that SAMPLES is read and makes no difference.

use crate::table::{at, Command, Flags, Run};
use crate::{help, CommandError, Exec};
use resp::{parse_integer, Args, Reply};

type Outcome = Result<(), CommandError>;

pub const TABLE: &[Command] = &[Command::container("memory", SUBCOMMANDS)];

const SUBCOMMANDS: &[Command] = &[
    Command::running("memory|help", Run::Here(memory_help)).arity(2).flags(&[Flags::LOADING, Flags::STALE]),
    Command::new("memory|usage", usage).arity(-3).keys(&[at(2, &["RO"])]).flags(&[Flags::READONLY]),
];

/// MEMORY USAGE key [SAMPLES count]
fn usage(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let mut i = 3;
    while let Some(word) = args.try_get(i) {
        let count = args.try_get(i + 1).filter(|_| word.eq_ignore_ascii_case(b"samples"));
        let count = parse_integer(count.ok_or(CommandError::Syntax)?).ok_or(CommandError::NotInteger)?;
        if count < 0 {
            return Err(CommandError::Syntax);
        }
        i += 2;
    }
    let (key, db) = (cx.key(args, 2), cx.keys.db());
    // As with DEBUG OBJECT, nobody notices, and a key whose time has come still takes its place.
    match cx.keys.keyspace().find(db, key.place, key.bytes) {
        Some(entry) => reply.integer(entry.memory() as i64),
        None => reply.null(),
    }
    Ok(())
}

/// MEMORY HELP
fn memory_help(_: &mut Exec, _: Args, reply: &mut Reply) -> Outcome {
    let lines = [
        "USAGE <key> [SAMPLES <count>]",
        "    Bytes that the key and its value take. SAMPLES is not needed, and ignored.",
    ];
    help::write(reply, "MEMORY", &lines);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::TestNode;

    #[test]
    fn a_key_takes_what_it_takes() {
        let mut node = TestNode::new();
        node.check("MEMORY USAGE none", "$-1");
        node.run("SET small v");
        node.run_words(&["SET", "large", &"x".repeat(100_000)]);
        node.run("RPUSH list a b c");
        let bytes = |node: &mut TestNode, key: &str| {
            let reply = node.run(&format!("MEMORY USAGE {key} SAMPLES 0 samples 5"));
            reply[1..].parse::<usize>().expect("a number")
        };
        assert!((8..64).contains(&bytes(&mut node, "small")));
        assert!((100_000..101_000).contains(&bytes(&mut node, "large")));
        assert!((16..64).contains(&bytes(&mut node, "list")));
        let mut words = vec!["RPUSH".to_string(), "list".to_string()];
        words.extend((0..10_000).map(|i| format!("element:{i}")));
        node.run_words(&words);
        assert!((130_000..200_000).contains(&bytes(&mut node, "list")));
        node.check("MEMORY USAGE small SAMPLES", "-ERR syntax error");
        node.check("MEMORY USAGE small SAMPLES -1", "-ERR syntax error");
        node.check("MEMORY USAGE small SAMPLES x", "-ERR value is not an integer or out of range");
        node.check("MEMORY USAGE small 5", "-ERR syntax error");
    }
}
