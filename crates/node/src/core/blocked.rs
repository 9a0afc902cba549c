//! Clients that wait for keys: parked, claimed, served in order (rule R7).
//!
//! ```text
//!     handler finds nothing: park --> tickets at the homes of the keys, the batch at the client's own core
//!     a waited key is touched at its home (or comes back from a runner that touched it)
//!       --> tickets in order: claim the batch from its core, try the command, next ticket ..
//!
//!     home                              the client's core
//!     lock slot ------Claim-----------> Blocked: here is the batch
//!     <---------------Claimed---------- else: Later (it is being tried) or Gone
//!     run; served: batch goes on        not served: batch comes home, Blocked again, with its old place
//!     next ticket, or release the slot
//! ```
//!
//! 1. A slot is locked while one of its tickets is claimed from another core: nobody overtakes a waiter.
//! 2. Only the client's own core gives the batch away, and only while it is there: the first claim wins, and
//!    timeouts, CLIENT UNBLOCK and disconnects are decided there too.
//! 3. A claim that comes while the batch is away (Later) is not lost: when the batch comes home unserved, the
//!    claimer is asked to look again. So no claim waits for another, and there is no cycle.
//! 4. A command with keys on several cores gives its claim up and asks for all slots, at the head of the queue
//!    of each. Its key's other tickets wait until it has been tried, so that the order stays.
//! 5. Tickets go when the wait ends, wherever it ends: [`Core::leave_queues`].

use super::Core;
use crate::connection::{Connection, Missed, Whereabouts};
use crate::message::{Batch, Claim, ClaimOutcome, Claimed, ConnId, KeyWait, Message};
use crate::plan::Plan;
use crate::waiters::{Ticket, WaitId, WaitedKey};
use commands::{CommandError, Wait};
use resp::OwnedBatch;
use slot::Slot;

/// How a wait ends without a key.
pub(super) enum Ending {
    /// Its time is over.
    Timeout,
    /// CLIENT UNBLOCK with ERROR.
    Error(CommandError),
}

/// A ticket whose command was sent to other cores to be tried; those behind it wait for that.
#[derive(Debug)]
pub(super) struct Trial {
    slot: Slot,
    key: WaitedKey,
    wait: WaitId,
    place: u64,
    is_over: bool,
}

impl Core {
    /// The batch's next command waits: takes a place in the queue of each of its keys. A command that was tried
    /// again keeps the places that it has.
    pub(super) fn park(&mut self, batch: &mut Batch, wait: Wait) {
        if let Some(old) = &mut batch.wait {
            old.is_parked = true;
            let id = WaitId { conn: batch.conn, number: old.number };
            for (slot, key) in &old.keys {
                match self.homes[slot.index()] {
                    home if home == self.id => self.trial_over(*slot, key, id),
                    home => self.send(home, Message::Tried(Box::new((*slot, key.clone(), id)))),
                }
            }
            return;
        }
        if !wait.replaced.is_empty() {
            replace_arguments(batch, &wait.replaced);
        }
        self.next_wait += 1;
        // Unique in the node: cores number their own.
        let number = self.next_wait << 8 | u64::from(self.id);
        let id = WaitId { conn: batch.conn, number };
        let ticket =
            Ticket { wait: id, origin: batch.origin, wants: wait.wants, on_deletion: wait.on_deletion };
        let mut keys: Vec<(Slot, WaitedKey)> = Vec::with_capacity(wait.keys.len());
        for key in wait.keys {
            let place = (slot::slot_of(&key), WaitedKey { db: batch.session.db, key });
            if !keys.contains(&place) {
                keys.push(place);
            }
        }
        for (slot, key) in &keys {
            match self.homes[slot.index()] {
                home if home == self.id => self.register(*slot, key.clone(), ticket),
                home => self.send(home, Message::Register(Box::new((*slot, key.clone(), ticket)))),
            }
        }
        batch.wait = Some(Box::new(KeyWait { number, keys, until_ms: wait.until_ms, is_parked: true }));
    }

    /// A ticket for a key of this core.
    pub(super) fn register(&mut self, slot: Slot, key: WaitedKey, ticket: Ticket) {
        self.waiters.register(slot, key, ticket);
        self.keyspace.watch_slot(slot, true);
    }

    /// Gives back all places of a wait that is over.
    pub(super) fn leave_queues(&mut self, conn: ConnId, wait: &KeyWait) {
        let id = WaitId { conn, number: wait.number };
        for (slot, key) in &wait.keys {
            match self.homes[slot.index()] {
                home if home == self.id => self.forget_ticket(*slot, key, id),
                home => self.send(home, Message::Forget(Box::new((*slot, key.clone(), id)))),
            }
        }
    }

    /// A client waits for a key of this core no more.
    pub(super) fn forget_ticket(&mut self, slot: Slot, key: &WaitedKey, wait: WaitId) {
        if self.waiters.unregister(slot, key, wait) {
            self.keyspace.watch_slot(slot, false);
        }
        self.trial_over(slot, key, wait);
    }

    /// The command of a ticket that was sent away to be tried has been tried: the next ticket's turn.
    pub(super) fn trial_over(&mut self, slot: Slot, key: &WaitedKey, wait: WaitId) {
        let is_it = |trial: &Trial| trial.wait == wait && trial.slot == slot && trial.key == *key;
        if let Some(trial) = self.trials.iter_mut().find(|trial| is_it(trial)) {
            trial.is_over = true;
        }
    }

    /// A parked batch is at its connection's core.
    pub(super) fn parked_is_home(&mut self, mut batch: Box<Batch>) {
        let Some(wait) = &batch.wait else { unreachable!("a parked batch waits") };
        let (number, until_ms) = (wait.number, wait.until_ms);
        let Some(mut connection) = self.connections.remove(&batch.conn) else {
            return self.leave_queues(batch.conn, &batch.wait.take().expect("just seen"));
        };
        connection.out.append(batch.reply.take_segments());
        connection.session = batch.session.clone();
        self.note_replies(&mut connection);
        let missed = std::mem::take(&mut connection.missed);
        // The slot may have left this node meanwhile, and no write will ever wake it.
        let args = batch.commands.args(batch.next);
        if let Plan::Refuse(error) = self.plan(&batch.session, args, self.find(args)) {
            connection.whereabouts = Whereabouts::Away;
            self.put_back(connection);
            return self.end_wait(batch, Ending::Error(error));
        }
        if let Some(at) = until_ms {
            self.deadlines.insert((at, batch.conn));
        }
        connection.whereabouts = Whereabouts::Blocked(batch);
        self.put_back(connection);
        for Missed { home, slot, key, .. } in missed.into_iter().filter(|missed| missed.number == number) {
            match home == self.id {
                true => self.waiters.touch(slot, key),
                false => self.send(home, Message::Look(Box::new((slot, key)))),
            }
        }
        self.end_waits();
    }

    /// Ends the waits whose time is over.
    pub(super) fn end_waits(&mut self) {
        let now_ms = self.now.unix_ms();
        while let Some(&(at, conn)) = self.deadlines.first().filter(|(at, _)| *at <= now_ms) {
            self.deadlines.remove(&(at, conn));
            if let Some(batch) = self.take_blocked(conn) {
                self.end_wait(batch, Ending::Timeout);
            }
        }
    }

    /// When the first wait is over, unix milliseconds.
    pub fn next_wait_ms(&self) -> Option<u64> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// CLIENT UNBLOCK for clients that were found to be blocked.
    pub(super) fn unblock(&mut self, unblocked: Vec<(ConnId, bool)>) {
        for (conn, with_error) in unblocked {
            if let Some(batch) = self.take_blocked(conn) {
                let error = || Ending::Error(CommandError::unblocked());
                self.end_wait(batch, if with_error { error() } else { Ending::Timeout });
            }
        }
    }

    /// Takes a blocked client's batch, whatever it waits for.
    fn take_blocked(&mut self, conn: ConnId) -> Option<Box<Batch>> {
        let connection = self.connections.get_mut(&conn)?;
        match std::mem::replace(&mut connection.whereabouts, Whereabouts::Away) {
            Whereabouts::Blocked(batch) => {
                if let Some(until_ms) = batch.wait.as_ref().and_then(|wait| wait.until_ms) {
                    self.deadlines.remove(&(until_ms, conn));
                }
                Some(batch)
            }
            other => {
                connection.whereabouts = other;
                None
            }
        }
    }

    /// Answers a command that waited in vain, and lets the rest of the batch go on.
    fn end_wait(&mut self, mut batch: Box<Batch>, ending: Ending) {
        if let Some(wait) = batch.wait.take() {
            self.leave_queues(batch.conn, &wait);
        }
        let Batch { commands, session, reply, next, .. } = &mut *batch;
        let (index, row) = self.find(commands.args(*next)).row.expect("it ran");
        let (mark, mode) = (reply.mark(), super::execute::begin_command(session));
        let succeeded = matches!(ending, Ending::Timeout);
        match ending {
            Ending::Timeout => reply.null_array(),
            Ending::Error(error) => self.write_error(reply, &error),
        }
        self.count(index, succeeded);
        super::execute::after_command(session, reply, mark, mode, row);
        batch.next += 1;
        self.departures.push_back(batch);
    }

    /// A connection that is gone waits no more.
    pub(super) fn end_wait_of_gone(&mut self, connection: &mut Connection) {
        match std::mem::take(&mut connection.whereabouts) {
            Whereabouts::Blocked(mut batch) => {
                if let Some(wait) = batch.wait.take() {
                    if let Some(until_ms) = wait.until_ms {
                        self.deadlines.remove(&(until_ms, connection.id));
                    }
                    self.leave_queues(connection.id, &wait);
                }
                connection.input.clear();
            }
            other => connection.whereabouts = other,
        }
    }

    /// Another core has a key ready for one of this core's clients.
    pub(super) fn claimed_by(&mut self, home: u8, claim: Claim) {
        let Claim { slot, key, wait } = claim;
        let outcome = self.answer_claim(home, slot, &key, wait);
        self.send(home, Message::Claimed(Box::new(Claimed { slot, key, wait, outcome })));
    }

    fn answer_claim(&mut self, home: u8, slot: Slot, key: &WaitedKey, wait: WaitId) -> ClaimOutcome {
        let Some(connection) = self.connections.get_mut(&wait.conn).filter(|c| !c.gone) else {
            return ClaimOutcome::Gone;
        };
        match &connection.whereabouts {
            Whereabouts::Blocked(batch) if batch.wait.as_ref().is_some_and(|w| w.number == wait.number) => {
                ClaimOutcome::Batch(self.take_blocked(wait.conn).expect("just seen"))
            }
            Whereabouts::Away => {
                connection.missed.push(Missed { home, slot, key: key.clone(), number: wait.number });
                ClaimOutcome::Later
            }
            _ => ClaimOutcome::Gone,
        }
    }

    /// Serves whoever waits for keys that were touched, in order. To be called when a command has ended and
    /// before any other of this core is looked at.
    pub(super) fn wake_waiters(&mut self) {
        if std::mem::replace(&mut self.waking, true) {
            return;
        }
        loop {
            let (id, homes) = (self.id, &self.homes);
            for touched in self.keyspace.take_touched(|slot| homes[slot.index()] == id) {
                self.waiters.touch(touched.slot, WaitedKey { db: touched.db, key: touched.key });
            }
            let (locks, trials) = (&self.locks, &self.trials);
            let free = |slot: Slot| !locks.exclusive() && !locks.is_held(slot);
            if let Some(at) = trials.iter().position(|trial| trial.is_over && free(trial.slot)) {
                let Trial { slot, key, place, .. } = self.trials.remove(at);
                self.serve(slot, &key, Some(place), false);
                continue;
            }
            let in_trial = |key: &WaitedKey| trials.iter().any(|trial| trial.key == *key);
            let Some((slot, key)) = self.waiters.next_ready(|slot, key| free(slot) && !in_trial(key)) else {
                break;
            };
            self.serve(slot, &key, None, false);
        }
        self.waking = false;
    }

    /// Tries the tickets of a key behind a place. `held`: the slot is locked for it already.
    fn serve(&mut self, slot: Slot, key: &WaitedKey, mut place: Option<u64>, held: bool) {
        self.claimed = held.then_some(slot);
        while let Some((at, ticket)) = self.waiters.after(slot, key, place) {
            place = Some(at);
            let there = self.type_of(key);
            if there.is_none() && !self.waiters.wants_deletion(slot, key) {
                break;
            }
            if there != Some(ticket.wants) && !ticket.on_deletion {
                continue;
            }
            if ticket.origin != self.id {
                if !held {
                    self.locks.claim(slot);
                }
                self.claimed = None;
                self.claims.insert(slot, at);
                let claim = Claim { slot, key: key.clone(), wait: ticket.wait };
                return self.send(ticket.origin, Message::Claim(Box::new(claim)));
            }
            let outcome = self.answer_claim(self.id, slot, key, ticket.wait);
            if self.take_outcome(slot, key, ticket.wait, at, outcome) {
                break;
            }
        }
        self.claimed = None;
        if held {
            self.locks.release(std::iter::once(slot));
        }
    }

    /// Tries the batch that a claim gave, if any. Whether it was sent away for that: then the tickets behind it
    /// wait.
    fn take_outcome(
        &mut self,
        slot: Slot,
        key: &WaitedKey,
        wait: WaitId,
        place: u64,
        outcome: ClaimOutcome,
    ) -> bool {
        match outcome {
            ClaimOutcome::Batch(batch) => {
                let sent_away = !self.try_here(batch);
                if sent_away {
                    self.trials.push(Trial { slot, key: key.clone(), wait, place, is_over: false });
                }
                sent_away
            }
            ClaimOutcome::Later => false,
            ClaimOutcome::Gone => {
                self.forget_ticket(slot, key, wait);
                false
            }
        }
    }

    /// Keys for which somebody waits although they hold what he wants: once all messages have arrived there must
    /// be none, but for readers of streams who have seen everything.
    pub fn unserved(&self) -> Vec<Vec<u8>> {
        let wanted = |slot: Slot, key: &WaitedKey| {
            let (_, ticket) = self.waiters.after(slot, key, None)?;
            (self.type_of(key) == Some(ticket.wants)).then(|| key.key.clone())
        };
        self.waiters.keys().filter_map(|(slot, key)| wanted(slot, key)).collect()
    }

    /// What a key of this core holds, its expiry aside: who waits for it finds out.
    fn type_of(&self, key: &WaitedKey) -> Option<keyspace::ValueType> {
        let place = self.keyspace.locate(&key.key);
        self.keyspace.find(key.db, place, &key.key).map(|entry| entry.value_type())
    }

    /// The answer to a claim of this core.
    pub(super) fn claim_answered(&mut self, claimed: Claimed) {
        let Claimed { slot, key, wait, outcome } = claimed;
        let place = self.claims.remove(&slot).expect("it was claimed");
        self.waking = true;
        self.claimed = Some(slot);
        match self.take_outcome(slot, &key, wait, place, outcome) {
            true => {
                self.claimed = None;
                self.locks.release(std::iter::once(slot));
            }
            false => self.serve(slot, &key, Some(place), true),
        }
        self.waking = false;
        self.wake_waiters();
    }

    /// Runs the command of a batch that was claimed, if all its slots are here and free; otherwise the batch asks
    /// for them as any other, and this is false.
    fn try_here(&mut self, mut batch: Box<Batch>) -> bool {
        if let Some(wait) = &mut batch.wait {
            wait.is_parked = false;
        }
        let Batch { commands, session, reply, next, .. } = &mut *batch;
        let args = commands.args(*next);
        let found = self.find(args);
        match self.plan(session, args, found) {
            Plan::Run => self.execute(session, reply, args, found),
            Plan::Refuse(error) => self.refuse(session, reply, found.row, &error),
            _ => {
                self.departures.push_back(batch);
                return false;
            }
        }
        match self.waiting.take() {
            Some(wait) => {
                self.park(&mut batch, wait);
                self.go_home(batch);
            }
            None => {
                self.command_ended(&mut batch);
                self.departures.push_back(batch);
            }
        }
        true
    }

    /// The batch's next command has been answered: it waits no more, and the one behind it is next.
    pub(super) fn command_ended(&mut self, batch: &mut Batch) {
        batch.next += 1;
        if let Some(wait) = batch.wait.take() {
            self.leave_queues(batch.conn, &wait);
        }
    }

    /// Slots that are not this node's any more: who waits for their keys tries again, and is redirected.
    pub(super) fn redirect_waiters(&mut self, lost: impl Fn(Slot) -> bool) {
        for slot in self.waiters.slots().into_iter().filter(|slot| lost(*slot)) {
            for (key, ticket) in self.waiters.take_slot(slot) {
                // The tickets for its other keys go with its wait.
                let _ = key;
                match ticket.origin == self.id {
                    true => self.try_again(ticket.wait),
                    false => self.send(ticket.origin, Message::TryAgain(ticket.wait)),
                }
            }
            self.keyspace.watch_slot(slot, false);
        }
    }

    /// A blocked client's command is to be planned anew. If it is on its way, it is anyway.
    pub(super) fn try_again(&mut self, wait: WaitId) {
        let is_it = |batch: &Batch| batch.wait.as_ref().is_some_and(|w| w.number == wait.number);
        let blocked = self.connections.get(&wait.conn).is_some_and(
            |connection| matches!(&connection.whereabouts, Whereabouts::Blocked(batch) if is_it(batch)),
        );
        if let Some(mut batch) = blocked.then(|| self.take_blocked(wait.conn)).flatten() {
            if let Some(wait) = &mut batch.wait {
                wait.is_parked = false;
            }
            self.departures.push_back(batch);
        }
    }
}

/// Puts other words in the place of some of the next command's.
fn replace_arguments(batch: &mut Batch, replaced: &[(usize, Vec<u8>)]) {
    let mut words: Vec<Vec<u8>> = batch.commands.args(batch.next).iter().map(<[u8]>::to_vec).collect();
    for (at, word) in replaced {
        words[*at].clone_from(word);
    }
    let mut commands = OwnedBatch::of(&words);
    for i in batch.next + 1..batch.commands.len() {
        commands.push(batch.commands.args(i));
    }
    batch.commands = commands;
    batch.next = 0;
}
