//! Batches: how commands for slots of other cores get there, in order (rule R8).
//!
//!     A (connection)      B                     C
//!     run, run, depart -> run, run, ----------> run
//!     <----------------------- Done(replies, session) --'
//!
//! A connection has one batch out, so its commands take effect in the order in which they were sent,
//! on whatever cores. Where the rest of the batch would come to a core twice, its slots are locked
//! instead and it runs on one core (`lease.rs`).
//!
//! 1. A batch owns its bytes; it is in one place: a message, a lock's queue, the pause's queue, a tour,
//!    or its connection (while the control plane answers).
//! 2. After a disconnect the batch runs to its end; its replies are dropped at home.

use super::{table, ControlRequest, Core, ToControl};
use crate::connection::{Connection, Whereabouts};
use crate::message::{Batch, ConnId, Message};
use crate::plan::Plan;
use commands::Run;
use resp::{OwnedBatch, Reply};

/// Commands that one batch looks ahead, and that one lock covers.
pub(super) const LOOK_AHEAD: usize = 64;

impl Core {
    /// Sends the rest of a connection's commands off. It goes once the connection is back in its place.
    pub(super) fn depart(&mut self, connection: &mut Connection, commands: OwnedBatch) {
        connection.whereabouts = Whereabouts::Away;
        self.departures.push_back(Box::new(Batch {
            origin: self.id,
            conn: connection.id,
            session: connection.session.clone(),
            commands,
            next: 0,
            reply: Reply::new(connection.session.protocol),
            highest: 0,
            visited: 1 << self.id,
            wait: None,
        }));
    }

    /// Runs a batch's next commands, as far as this core can, and sends it on.
    pub(super) fn travel(&mut self, mut batch: Box<Batch>) {
        batch.visited |= 1 << self.id;
        while batch.next < batch.commands.len() && !batch.session.close {
            let Batch { origin, commands, session, reply, next, .. } = &mut *batch;
            let args = commands.args(*next);
            let found = self.find(args);
            match self.plan(session, args, found) {
                Plan::Run => {
                    self.execute(session, reply, args, found);
                    if let Some(wait) = self.waiting.take() {
                        self.park(&mut batch, wait);
                        return self.go_home(batch);
                    }
                }
                Plan::Refuse(error) => self.refuse(session, reply, found.row, &error),
                Plan::HangUp => session.close = true,
                Plan::Blocked(slot) => return self.locks.wait(slot, batch),
                Plan::Travel(core) => return self.go(core, batch),
                Plan::Lock => return self.ask_locks(batch),
                Plan::Paused => return self.paused.push_back(batch),
                Plan::Home if *origin != self.id => return self.go_home(batch),
                Plan::Home => {
                    let (_, row) = found.row.expect("a planned command has a row");
                    match row.run {
                        Run::Origin(_) => self.execute(session, reply, args, found),
                        Run::EveryCore(tour) => match self.start_tour(batch, tour) {
                            None => return,
                            Some(refused) => {
                                batch = refused;
                                continue;
                            }
                        },
                        _ => return self.ask_control(batch),
                    }
                }
            }
            self.command_ended(&mut batch);
        }
        self.go_home(batch);
    }

    fn go(&mut self, core: u8, batch: Box<Batch>) {
        match self.would_come_twice(&batch) {
            true => self.ask_locks(batch),
            false => self.send(core, Message::Batch(batch)),
        }
    }

    /// Whether the rest of the batch would come to some core a second time. Ending at its own core does
    /// not count: it goes there anyway.
    fn would_come_twice(&self, batch: &Batch) -> bool {
        let (mut at, mut visited, mut back) = (self.id, batch.visited, false);
        let last = batch.commands.len().min(batch.next + LOOK_AHEAD);
        for i in batch.next..last {
            let args = batch.commands.args(i);
            let found = self.find(args);
            let Some((_, row)) = found.row else { continue };
            let home = match (row.run, found.first) {
                (Run::Here(_) | Run::Container, _) => continue,
                (Run::Keys(_), Some((_, place))) => self.homes[place.slot.index()],
                (Run::Slot(slot_of, _), _) => match slot_of(args) {
                    Some(slot) => self.homes[slot.index()],
                    None => continue,
                },
                _ => return false,
            };
            if home == at {
                continue;
            }
            if back || (visited & (1 << home) != 0 && home != batch.origin) {
                return true;
            }
            back = visited & (1 << home) != 0;
            visited |= 1 << home;
            at = home;
        }
        false
    }

    /// Brings a batch to its connection.
    pub(super) fn go_home(&mut self, batch: Box<Batch>) {
        match batch.origin == self.id {
            true => self.batch_is_home(batch),
            false => self.send(batch.origin, Message::Done(batch)),
        }
    }

    /// A batch is at its connection's core: what only this core can run goes on, else it ends.
    pub(super) fn batch_is_home(&mut self, mut batch: Box<Batch>) {
        if batch.wait.as_ref().is_some_and(|wait| wait.is_parked) {
            return self.parked_is_home(batch);
        }
        if batch.next < batch.commands.len() && !batch.session.close {
            return self.travel(batch);
        }
        let Some(mut connection) = self.connections.remove(&batch.conn) else { return };
        connection.whereabouts = Whereabouts::Ready;
        connection.missed.clear();
        connection.out.append(batch.reply.take_segments());
        connection.session = batch.session;
        connection.out.set_protocol(connection.session.protocol);
        if connection.session.close {
            connection.close_after_replies = true;
            connection.input.clear();
        }
        self.note_replies(&mut connection);
        if !connection.input.is_empty() {
            self.make_runnable(&mut connection);
        }
        self.put_back(connection);
    }

    fn ask_control(&mut self, batch: Box<Batch>) {
        let Some(connection) = self.connections.get_mut(&batch.conn) else { return };
        let mut command = OwnedBatch::new();
        command.push(batch.commands.args(batch.next));
        let request =
            ControlRequest { core: self.id, conn: batch.conn, session: batch.session.clone(), command };
        connection.whereabouts = Whereabouts::Waiting(batch);
        self.control.push_back(ToControl::Request(Box::new(request)));
    }

    /// The control plane answered a connection's command.
    pub(super) fn control_replied(&mut self, conn: ConnId, mut answer: Reply) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        match std::mem::replace(&mut connection.whereabouts, Whereabouts::Away) {
            Whereabouts::Waiting(mut batch) => {
                let Batch { commands, session, reply, next, .. } = &mut *batch;
                let (index, row) = table().find(commands.args(*next)).expect("it was asked");
                let (mark, mode) = (reply.mark(), super::execute::begin_command(session));
                let failed = answer.as_bytes().is_some_and(|bytes| bytes.starts_with(b"-"));
                reply.append(answer.take_segments());
                self.count(index, !failed);
                super::execute::after_command(session, reply, mark, mode, row);
                batch.next += 1;
                self.travel(batch);
            }
            other => connection.whereabouts = other,
        }
    }

    /// CLIENT PAUSE is over: everybody who waited goes on, in order.
    pub(super) fn end_pause(&mut self) {
        self.pause = Default::default();
        self.departures.append(&mut self.paused);
    }
}
