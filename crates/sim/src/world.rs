//! The interleaver: one step gives one core one turn.
//!
//! 1. A ring between two cores delivers in order; which ring is next, and how much of it, the seed says.
//! 2. A ring has room for a few messages; what does not fit waits at its sender, in order (rule R6).
//! 3. What a core wants to send leaves after its seal, as in production (rule R1).

use crate::client::{encode, Client};
use crate::history::linearize;
use crate::model::{Key, Op, State};
use crate::queues;
use commands::facts::NodeFacts;
use commands::Now;
use node::{ConnId, Core, FromControl, Message, Output, Random, Sealed, Setup, ToControl};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Steps after which a run that has not come to rest is stuck.
const STEPS: u64 = 20_000;

/// Keys of the workload: they fall on different cores.
pub const KEYS: [Key; 6] = ["a", "b", "c", "d", "e{a}", "f"];

/// What a checker found.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed that replays it.
    pub seed: u64,
    /// What is wrong, with the history.
    pub what: String,
}

pub(crate) struct World {
    pub(crate) random: Random,
    step: u64,
    pub(crate) cores: Vec<Core>,
    /// `[from][to]`: requests and answers under way, and what waits for room.
    requests: Vec<Vec<VecDeque<Message>>>,
    answers: Vec<Vec<VecDeque<Message>>>,
    waiting: Vec<Vec<VecDeque<Message>>>,
    room: usize,
    pub(crate) clients: Vec<Client>,
    /// The last element that was pushed to a queue.
    pub(crate) next_element: u64,
    drawn: u64,
    log: BTreeMap<u64, Sealed>,
}

/// Runs a seed and checks everything.
pub fn run(seed: u64) -> Result<(), Failure> {
    if seed % 4 == 3 {
        return queues::run(seed);
    }
    let mut world = World::new(seed, World::op);
    let failure =
        |what: String, world: &World| Failure { seed, what: format!("{what}\n{}", world.described()) };
    while !world.is_at_rest() {
        world.count_step().map_err(|what| failure(what, &world))?;
        world.one_step();
    }
    if let Some(core) = world.cores.iter().position(|core| !core.is_settled()) {
        return Err(failure(format!("core {core} is left with locks or batches"), &world));
    }
    let history = world.clients.iter().map(|client| client.events.clone()).collect();
    let Some(ends) = linearize(&history) else {
        return Err(failure("no order explains the answers".into(), &world));
    };
    let held = world.final_state();
    if !ends.contains(&held) {
        return Err(failure(format!("the node holds {held:?}, which no order leaves behind"), &world));
    }
    let replayed = world.replay();
    match replayed {
        Ok(state) if state == held => Ok(()),
        Ok(state) => Err(failure(format!("the log replays to {state:?}, the node holds {held:?}"), &world)),
        Err(what) => Err(failure(what, &world)),
    }
}

fn describe(number: usize, client: &Client) -> String {
    let lines = client.events.iter().map(|event| {
        let answer =
            event.answered.as_ref().map_or("(none)".to_owned(), |(at, answer)| format!("{at} {answer:?}"));
        format!("  {} {} -> {answer}\n", event.sent, event.op.words().join(" "))
    });
    format!("client {number} on core {}\n{}", client.core, lines.collect::<String>())
}

fn new_core(core: u8, cores: u8, seed: u64, config: &Arc<config::Config>) -> Core {
    let node = Arc::new(NodeFacts { cores, ..NodeFacts::default() });
    let setup = Setup { core, cores, seed, hash_seed: 7, config: Arc::clone(config), node, routing: None };
    let mut core = Core::new(setup, Now { unix_us: 1 });
    core.want_log(true);
    core
}

impl Drop for World {
    /// The cores end in order, as the keyspace wants it.
    fn drop(&mut self) {
        let chains: Vec<_> = self.cores.iter_mut().flat_map(|core| core.keyspace_mut().dismantle()).collect();
        for chain in chains {
            self.cores[usize::from(chain.owner())].keyspace_mut().give_back(chain);
        }
    }
}

impl World {
    /// Cores and clients with plans made of such commands.
    pub(crate) fn new(seed: u64, op: fn(&mut World) -> Op) -> World {
        let mut random = Random::new(seed);
        let count = 1 + random.below(4) as usize;
        let config = Arc::new(config::Config::default());
        let cores =
            (0..count).map(|core| new_core(core as u8, count as u8, random.bits(), &config)).collect();
        let rings =
            || (0..count).map(|_| (0..count).map(|_| VecDeque::new()).collect()).collect::<Vec<Vec<_>>>();
        let mut world = World {
            room: 1 + random.below(3) as usize,
            step: 0,
            cores,
            requests: rings(),
            answers: rings(),
            waiting: rings(),
            clients: Vec::new(),
            next_element: 0,
            drawn: 0,
            log: BTreeMap::new(),
            random,
        };
        let clients = 2 + world.random.below(2) as usize;
        for number in 0..clients {
            let core = world.random.below(count as u64) as usize;
            let plan = world.plan(op);
            world.clients.push(Client { core, plan, ..Client::default() });
            world.turn(core, |core| {
                let peer: Arc<str> = Arc::from(format!("sim:{number}"));
                core.handle_accepted(conn(number), Arc::clone(&peer), peer, true, None);
            });
        }
        world
    }

    /// A client's pipelines.
    fn plan(&mut self, op: fn(&mut World) -> Op) -> VecDeque<Vec<Op>> {
        let pipelines = 1 + self.random.below(3);
        (0..pipelines)
            .map(|_| {
                let commands = 1 + self.random.below(4);
                (0..commands).map(|_| op(self)).collect()
            })
            .collect()
    }

    fn key(&mut self) -> Key {
        KEYS[self.random.below(KEYS.len() as u64) as usize]
    }

    fn keys(&mut self) -> Vec<Key> {
        (0..2 + self.random.below(3)).map(|_| self.key()).collect()
    }

    fn value(&mut self) -> String {
        self.random.below(1000).to_string()
    }

    fn op(&mut self) -> Op {
        match self.random.below(40) {
            0..=6 => Op::Get(self.key()),
            7..=12 => Op::Set(self.key(), self.value()),
            13..=14 => Op::GetSet(self.key(), self.value()),
            15..=16 => Op::Incr(self.key()),
            17 => Op::Append(self.key(), self.value()),
            18..=21 => Op::MSet(self.pairs()),
            22..=23 => Op::MSetNx(self.pairs()),
            24..=27 => Op::MGet(self.keys()),
            28..=29 => Op::Del(self.keys()),
            30 => Op::Exists(self.keys()),
            31..=32 => Op::Rename(self.key(), self.key()),
            33 => Op::RenameNx(self.key(), self.key()),
            34 => match (self.key(), self.key()) {
                (from, to) if from != to => Op::Copy(from, to),
                _ => Op::Ping,
            },
            35 => Op::Keys,
            36 => Op::FlushAll,
            37 => Op::FlushDb,
            38 => Op::SwapDb,
            _ => Op::Select(self.random.below(2) as u8),
        }
    }

    fn pairs(&mut self) -> Vec<(Key, String)> {
        self.keys().into_iter().map(|key| (key, self.value())).collect()
    }

    fn is_at_rest(&self) -> bool {
        self.clients.iter().all(Client::is_satisfied) && self.is_quiet()
    }

    /// Whether everything is sent, read and delivered.
    pub(crate) fn is_quiet(&self) -> bool {
        let empty = |rings: &Vec<Vec<VecDeque<Message>>>| rings.iter().flatten().all(VecDeque::is_empty);
        self.clients.iter().all(|client| client.plan.is_empty() && client.outbox.is_empty())
            && empty(&self.requests)
            && empty(&self.answers)
            && empty(&self.waiting)
    }

    /// One more step, unless it has been too many.
    pub(crate) fn count_step(&mut self) -> Result<(), String> {
        self.step += 1;
        match self.step > STEPS {
            true => Err("the world does not come to rest".to_owned()),
            false => Ok(()),
        }
    }

    /// What all clients sent and got.
    pub(crate) fn described(&self) -> String {
        self.clients.iter().enumerate().map(|(number, client)| describe(number, client)).collect()
    }

    pub(crate) fn one_step(&mut self) {
        let count = self.cores.len();
        match self.random.below(10) {
            0..=2 => self.client_sends(),
            3..=4 => self.core_reads(),
            5 if self.random.below(30) == 0 => self.client_hangs_up(),
            5 => {
                let core = self.random.below(count as u64) as usize;
                self.turn(core, |core| {
                    core.handle_timer();
                });
            }
            _ => {
                let to = self.random.below(count as u64) as usize;
                let from = self.random.below(count as u64) as usize;
                self.deliver(from, to);
            }
        }
    }

    fn pick_client(&mut self) -> usize {
        self.random.below(self.clients.len() as u64) as usize
    }

    fn client_sends(&mut self) {
        let number = self.pick_client();
        let (step, client) = (self.step, &mut self.clients[number]);
        if client.gone {
            return;
        }
        for op in client.plan.pop_front().unwrap_or_default() {
            client.outbox.extend(encode(&op.words()));
            client.events.push(crate::history::Event { op, sent: step, answered: None });
        }
    }

    /// The core reads what a client wrote, or a part of it.
    fn core_reads(&mut self) {
        let number = self.pick_client();
        let written = self.clients[number].outbox.len();
        if written == 0 {
            return;
        }
        let len = match self.random.below(3) {
            0 => 1 + self.random.below(written as u64) as usize,
            _ => written,
        };
        let bytes: Vec<u8> = self.clients[number].outbox.drain(..len).collect();
        self.turn(self.clients[number].core, |core| core.handle_received(conn(number), &bytes));
    }

    /// A client goes away with commands under way.
    fn client_hangs_up(&mut self) {
        let number = self.pick_client();
        self.hang_up(number);
    }

    fn deliver(&mut self, from: usize, to: usize) {
        let many = 1 + self.random.below(2);
        for _ in 0..many {
            // Receivers drain answers first (rule R6).
            let message = self.answers[from][to].pop_front().or_else(|| self.requests[from][to].pop_front());
            let Some(message) = message else { break };
            self.turn(to, |core| core.handle_message(from as u8, message));
            self.fill_rings(from);
        }
    }

    /// Moves what waited at its sender into rings that have room again.
    fn fill_rings(&mut self, from: usize) {
        for to in 0..self.cores.len() {
            while self.requests[from][to].len() < self.room {
                let Some(message) = self.waiting[from][to].pop_front() else { break };
                self.requests[from][to].push_back(message);
            }
        }
    }

    /// One turn of a core: input, the rest of what is runnable, seal, and then what leaves.
    pub(crate) fn turn(&mut self, number: usize, input: impl FnOnce(&mut Core)) {
        let World { cores, drawn, random, .. } = self;
        let core = &mut cores[number];
        core.begin_turn(Now { unix_us: 1_700_000_000_000_000 + self.step });
        input(core);
        if random.below(2) == 0 {
            core.run_runnable();
        }
        core.free_some();
        core.seal(|| {
            *drawn += 1;
            *drawn
        });
        while let Some(sealed) = core.poll_sealed() {
            assert!(self.log.insert(sealed.number, sealed).is_none(), "a number is drawn once");
        }
        while let Some((to, message)) = self.cores[number].poll_message() {
            match message.is_answer() {
                true => self.answers[number][usize::from(to)].push_back(message),
                false => self.waiting[number][usize::from(to)].push_back(message),
            }
        }
        self.fill_rings(number);
        self.leave(number);
    }

    /// Replies to clients, and the few things that a core asks of its shell.
    fn leave(&mut self, number: usize) {
        let mut sent = Vec::new();
        while let Some((conn, segments, _)) = self.cores[number].poll_send() {
            let bytes: Vec<u8> = segments.iter().flatten().copied().collect();
            self.clients[client(conn)].receive(&bytes, self.step);
            sent.push(conn);
        }
        for conn in sent {
            self.cores[number].handle_sent(conn, None);
        }
        while let Some(output) = self.cores[number].poll_output() {
            assert!(!matches!(output, Output::ReceiveBig { .. }), "the workload has no big values");
        }
        while let Some(request) = self.cores[number].poll_control() {
            if matches!(request, ToControl::ChunkWish) {
                continue;
            }
            panic!("the workload asks nothing of the control plane: {request:?}");
        }
        let _ = std::mem::size_of::<FromControl>();
    }

    /// What stands in the queues.
    pub(crate) fn elements_left(&self) -> Vec<String> {
        let mut all = Vec::new();
        for core in &self.cores {
            core.keyspace().scan(0, keyspace::Cursor::START, 0..slot::SLOTS, usize::MAX, |entry| {
                if let keyspace::ValueRef::List(list) = entry.value() {
                    all.extend(
                        list.iter().map(|item| String::from_utf8_lossy(&item.to_bytes()).into_owned()),
                    );
                }
            });
        }
        all
    }

    /// All keys of all cores.
    fn final_state(&self) -> State {
        let mut state = State::default();
        for core in &self.cores {
            add_keys(core, &mut state);
        }
        state
    }

    /// Applies the merged log, number by number, to one fresh core.
    fn replay(&self) -> Result<State, String> {
        let numbers: Vec<u64> = self.log.keys().copied().collect();
        if numbers != (1..=self.drawn).collect::<Vec<u64>>() {
            return Err(format!("{} numbers were drawn, these were sealed: {numbers:?}", self.drawn));
        }
        let config = Arc::new(config::Config::default());
        let mut core = new_core(0, 1, 1, &config);
        core.handle_accepted(conn(0), Arc::from("log"), Arc::from("log"), true, None);
        for (db, commands) in self.log.values().flat_map(|sealed| &sealed.units) {
            core.begin_turn(Now { unix_us: 1_700_000_000_000_000 });
            core.handle_received(conn(0), &encode(&["SELECT".into(), db.to_string()]));
            core.handle_received(conn(0), commands);
            while core.run_runnable() {}
            core.seal(|| 0);
            while let Some((conn, ..)) = core.poll_send() {
                core.handle_sent(conn, None);
            }
        }
        let mut state = State::default();
        add_keys(&core, &mut state);
        Ok(state)
    }
}

fn add_keys(core: &Core, state: &mut State) {
    for (db, keys) in state.databases.iter_mut().enumerate() {
        let mut cursor = keyspace::Cursor::START;
        loop {
            cursor = core.keyspace().scan(db as u16, cursor, 0..slot::SLOTS, 1000, |entry| {
                let keyspace::ValueRef::Str(value) = entry.value() else {
                    panic!("the workload has strings only")
                };
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                keys.insert(text(entry.key()), text(value.bytes()));
            });
            if cursor == keyspace::Cursor::START {
                break;
            }
        }
    }
}

pub(crate) fn conn(client: usize) -> ConnId {
    ConnId(client as u64)
}

fn client(conn: ConnId) -> usize {
    conn.0 as usize
}
