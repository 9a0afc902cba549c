//! Clients that send and close without waiting: what they asked is done, but new ones wait meanwhile.

use commands::facts::NodeFacts;
use commands::Now;
use node::{ConnId, Core, Message, Output, Setup};
use std::collections::VecDeque;
use std::sync::Arc;

const CLIENTS: u64 = 300;

fn core(number: u8) -> Core {
    let node = Arc::new(NodeFacts { cores: 2, ..NodeFacts::default() });
    let config = Arc::new(config::Config::default());
    Core::new(
        Setup { core: number, cores: 2, seed: 1, hash_seed: 7, config, node, routing: None },
        Now { unix_us: 1 },
    )
}

/// Ends the core's turn: its messages, and whether it asked to pause or to resume accepting.
fn end_turn(core: &mut Core, drawn: &mut u64) -> (VecDeque<(u8, Message)>, Vec<bool>) {
    core.run_runnable();
    core.seal(|| {
        *drawn += 1;
        *drawn
    });
    let messages = std::iter::from_fn(|| core.poll_message()).collect();
    let accepting = std::iter::from_fn(|| core.poll_output()).filter_map(|output| match output {
        Output::PauseAccept => Some(false),
        Output::ResumeAccept => Some(true),
        _ => None,
    });
    (messages, accepting.collect())
}

#[test]
fn work_that_gone_clients_left_behind_holds_new_ones_back() {
    let (mut here, mut there) = (core(0), core(1));
    let mut drawn = 0;
    // A key of the upper half of the slots, so of the other core.
    let key = (0..).map(|i| format!("key:{i}")).find(|k| slot::slot_of(k.as_bytes()).index() >= 8192);
    let key = key.expect("every second key is");
    let append = format!("*3\r\n$6\r\nAPPEND\r\n${}\r\n{key}\r\n$1\r\nx\r\n", key.len());
    here.begin_turn(Now { unix_us: 2 });
    for client in 0..CLIENTS {
        let address: Arc<str> = Arc::from("test:1");
        here.handle_accepted(ConnId(client), Arc::clone(&address), address, true, None);
        here.handle_received(ConnId(client), append.as_bytes());
        here.handle_closed(ConnId(client));
    }
    let (requests, accepting) = end_turn(&mut here, &mut drawn);
    assert_eq!(accepting, [false], "asked once");
    assert_eq!(here.connections(), CLIENTS as usize);

    there.begin_turn(Now { unix_us: 3 });
    requests.into_iter().for_each(|(_, request)| there.handle_message(0, request));
    let (answers, _) = end_turn(&mut there, &mut drawn);
    here.begin_turn(Now { unix_us: 4 });
    let mut resumed_at = None;
    for (number, (_, answer)) in answers.into_iter().enumerate() {
        here.handle_message(1, answer);
        let (_, accepting) = end_turn(&mut here, &mut drawn);
        if accepting == [true] {
            assert_eq!(resumed_at.replace(number), None, "asked once");
        }
    }
    assert!(
        resumed_at.is_some_and(|at| at < CLIENTS as usize - 1),
        "resumed before the last: {resumed_at:?}"
    );
    assert_eq!((here.connections(), here.is_settled()), (0, true));
    assert_eq!(there.keys(), 1);
}
