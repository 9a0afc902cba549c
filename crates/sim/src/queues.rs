//! Clients that wait for each other: producers and consumers of queues that lie on several cores.
//!
//! What a waiting command answers depends on the order of everything, so there is no naive model to replay it
//! on. What must hold is simpler:
//!
//! 1. Every element that was pushed is popped once, or still there in the end.
//! 2. Nobody waits for a key that has what he wants, once all messages have arrived.
//! 3. When the waiting clients hang up, no lock, ticket or batch is left.

use crate::history::Event;
use crate::model::{Answer, Key, Op};
use crate::world::{conn, Failure, World};
use std::collections::{BTreeMap, VecDeque};

/// The queues: they fall on different cores.
pub const QUEUES: [Key; 4] = ["a", "b", "c", "d"];

/// Runs a seed's queues and checks them.
pub fn run(seed: u64) -> Result<(), Failure> {
    let mut world = World::new(seed, World::queue_op);
    let failure =
        |what: String, world: &World| Failure { seed, what: format!("{what}\n{}", world.described()) };
    let mut rest = 0;
    // Twice at rest with a turn for everybody between: what one turn left undone, the next does.
    while rest < 2 {
        world.count_step().map_err(|what| failure(what, &world))?;
        if world.is_quiet() {
            rest += 1;
            world.everybody_has_a_turn();
        } else {
            rest = 0;
            world.one_step();
        }
    }
    if let Some((core, key)) = world.unserved() {
        return Err(failure(format!("core {core}: somebody waits for {key}, which is there"), &world));
    }
    let mut seen = BTreeMap::<String, usize>::new();
    for element in world.popped().into_iter().chain(world.elements_left()) {
        *seen.entry(element).or_default() += 1;
    }
    if let Some((element, _)) = seen.iter().find(|(_, count)| **count > 1) {
        return Err(failure(format!("{element} came out more often than it went in"), &world));
    }
    // What a client popped just before it hung up, nobody knows.
    let lost = world.pushed().into_iter().find(|element| !seen.contains_key(element));
    if let Some(element) = lost.filter(|_| !world.somebody_hung_up()) {
        return Err(failure(format!("{element} is lost"), &world));
    }
    world.everybody_hangs_up();
    while !world.is_quiet() {
        world.count_step().map_err(|what| failure(what, &world))?;
        world.one_step();
    }
    world.everybody_has_a_turn();
    match world.unsettled() {
        Some(core) => Err(failure(format!("core {core} is left with locks, tickets or batches"), &world)),
        None => Ok(()),
    }
}

impl World {
    /// A command of the queues' workload.
    pub(crate) fn queue_op(&mut self) -> Op {
        let queue = |world: &mut World| QUEUES[world.random.below(QUEUES.len() as u64) as usize];
        match self.random.below(20) {
            0..=6 => {
                self.next_element += 1;
                Op::RPush(queue(self), format!("e{}", self.next_element))
            }
            7..=12 => Op::BlPop((0..1 + self.random.below(3)).map(|_| queue(self)).collect(), self.timeout()),
            13..=14 => Op::BlMove(queue(self), queue(self), self.timeout()),
            15 => Op::LPop(queue(self)),
            16 => Op::RenameNx(queue(self), queue(self)),
            17 => Op::LLen(queue(self)),
            _ => Op::Ping,
        }
    }

    /// For ever, or some milliseconds: a run is some twenty long.
    fn timeout(&mut self) -> u64 {
        if self.random.below(2) == 0 {
            0
        } else {
            1 + self.random.below(8)
        }
    }

    fn all_events(&self) -> impl Iterator<Item = &Event> {
        self.clients.iter().flat_map(|client| &client.events)
    }

    /// The elements whose push was answered. Each is pushed once only.
    fn pushed(&self) -> Vec<String> {
        let answered = self.all_events().filter(|event| event.answered.is_some());
        answered
            .filter_map(|event| match &event.op {
                Op::RPush(_, element) => Some(element.clone()),
                _ => None,
            })
            .collect()
    }

    fn popped(&self) -> Vec<String> {
        let mut all = Vec::new();
        for event in self.all_events() {
            let Some((_, answer)) = &event.answered else { continue };
            match (&event.op, answer) {
                (Op::BlPop(..), Answer::Array(pair)) => {
                    if let [_, Answer::Bulk(Some(element))] = &pair[..] {
                        all.push(element.clone());
                    }
                }
                (Op::LPop(_), Answer::Bulk(Some(element))) => all.push(element.clone()),
                _ => {}
            }
        }
        all
    }

    fn everybody_hangs_up(&mut self) {
        for number in 0..self.clients.len() {
            self.hang_up(number);
        }
    }

    fn everybody_has_a_turn(&mut self) {
        for core in 0..self.cores.len() {
            self.turn(core, |core| while core.run_runnable() {});
        }
    }

    fn somebody_hung_up(&self) -> bool {
        self.clients.iter().any(|client| client.gone)
    }

    fn unserved(&self) -> Option<(usize, String)> {
        self.cores.iter().enumerate().find_map(|(number, core)| {
            let key = core.unserved().into_iter().next()?;
            Some((number, String::from_utf8_lossy(&key).into_owned()))
        })
    }

    fn unsettled(&self) -> Option<usize> {
        self.cores.iter().position(|core| !core.is_settled())
    }

    /// Hangs up, if it has not.
    pub(crate) fn hang_up(&mut self, number: usize) {
        let client = &mut self.clients[number];
        if client.gone {
            return;
        }
        client.gone = true;
        client.plan = VecDeque::new();
        client.outbox.clear();
        let core = client.core;
        self.turn(core, |core| core.handle_closed(conn(number)));
    }
}
