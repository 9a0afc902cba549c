//! Commands of every core: FLUSHALL, KEYS, DBSIZE, INFO, CLIENT LIST (rule R4).
//!
//!     locked:    Lock 0 -> Lock 1 -> ... -> Lock n-1 -> Visit 0 -> Visit 1 -> ... -> home: finish
//!     unlocked:                                        Visit 0 -> Visit 1 -> ... -> home: finish
//!
//! A visit does one core's part and unlocks that core at once. Whoever reaches a core that is already
//! visited sees the new state; the old state can be seen nowhere, since every other core is locked
//! until its own visit.
//!
//! 1. The words of what a tour changed are logged by the first core alone, and sealed before the tour
//!    goes on: whatever follows the tour on any core has a higher number.

use super::clients::ClientsHere;
use super::{table, Core};
use crate::message::{Batch, Message, Stage, Tour};
use commands::table::EveryCore;
use commands::{Gathered, Run, Visit};

impl Core {
    /// Starts the tour of the batch's next command; the batch comes back, one command on, if refused.
    pub(super) fn start_tour(&mut self, mut batch: Box<Batch>, tour: EveryCore) -> Option<Box<Batch>> {
        let Batch { commands, session, reply, next, .. } = &mut *batch;
        let args = commands.args(*next);
        let found = self.find(args);
        if let Err(error) = self.with_exec(session, found, |cx| (tour.check)(cx, args)) {
            let (mark, mode) = (reply.mark(), super::execute::begin_command(session));
            self.write_error(reply, &error);
            let (index, row) = found.row.expect("it was planned");
            self.count(index, false);
            super::execute::after_command(session, reply, mark, mode, row);
            batch.next += 1;
            return Some(batch);
        }
        // What CLIENT LIST shows of the client that asks.
        batch.session.last_command = found.row.map_or(commands::Table::NO_COMMAND, |(index, _)| index);
        if let Some(connection) = self.connections.get_mut(&batch.conn) {
            connection.session = batch.session.clone();
        }
        let stage = if tour.locked { Stage::Lock } else { Stage::Visit };
        let tour = Box::new(Tour { stage, locked: tour.locked, gathered: Gathered::default(), batch });
        self.send_tour(0, tour);
        None
    }

    fn send_tour(&mut self, core: u8, tour: Box<Tour>) {
        match core == self.id {
            true => self.tour_arrives(tour),
            false => self.send(core, Message::Tour(tour)),
        }
    }

    /// It is this core's turn.
    pub(super) fn tour_arrives(&mut self, tour: Box<Tour>) {
        match tour.stage {
            Stage::Visit => self.visit(tour),
            Stage::Lock => {
                if let Some(tour) = self.locks.request_core(tour) {
                    self.tour_holds(tour);
                }
            }
        }
    }

    /// A tour holds this core.
    pub(super) fn tour_holds(&mut self, mut tour: Box<Tour>) {
        if self.id + 1 < self.cores {
            return self.send_tour(self.id + 1, tour);
        }
        tour.stage = Stage::Visit;
        self.send_tour(0, tour);
    }

    fn visit(&mut self, mut tour: Box<Tour>) {
        let Batch { commands, session, next, .. } = &mut *tour.batch;
        let args = commands.args(*next);
        let Some((_, row)) = table().find(args) else { unreachable!("a tour's command has a row") };
        let Run::EveryCore(EveryCore { visit, .. }) = row.run else { unreachable!("{} tours", row.name) };
        self.refresh_totals();
        let access = self.access();
        let (here, homes, locks) = (self.id, &self.homes, &self.locks);
        let (random, mut ended) = (&mut self.random, Vec::new());
        let mut clients = ClientsHere {
            connections: &mut self.connections,
            pause: &mut self.pause,
            ended: &mut ended,
            unpaused: false,
            unblocked: Vec::new(),
            now: self.now,
        };
        visit(
            &mut Visit {
                core: self.id,
                keyspace: &mut self.keyspace,
                clients: &mut clients,
                facts: &mut self.facts,
                config: &self.config,
                limits: &mut self.settings.types,
                effects: &mut self.effects,
                session,
                now: self.now,
                is_mine: &|slot| homes[slot.index()] == here,
                at_home: &|slot| homes[slot.index()] == here && !locks.is_held(slot),
                access,
                random: &mut || random.bits(),
            },
            args,
            &mut tour.gathered,
        );
        let ClientsHere { unpaused, unblocked, .. } = clients;
        match self.id {
            0 => self.settle(session.db, args),
            _ => self.settle_silently(),
        }
        if unpaused {
            self.end_pause();
        }
        self.end_clients(ended);
        self.unblock(unblocked);
        if tour.locked {
            self.locks.release_core();
            // Whole databases were emptied or exchanged.
            self.waiters.touch_all();
        }
        match () {
            () if self.id + 1 < self.cores => self.send_tour(self.id + 1, tour),
            () if tour.batch.origin == self.id => self.tour_is_home(tour),
            () => self.send(tour.batch.origin, Message::Gathered(tour)),
        }
    }

    /// A tour has been everywhere: words its reply, and the batch goes on.
    pub(super) fn tour_is_home(&mut self, tour: Box<Tour>) {
        let Tour { gathered, mut batch, .. } = *tour;
        let Batch { commands, session, reply, next, .. } = &mut *batch;
        let args = commands.args(*next);
        let found = self.find(args);
        let Some((index, row)) = found.row else { unreachable!("a tour's command has a row") };
        let Run::EveryCore(EveryCore { finish, .. }) = row.run else { unreachable!("{} tours", row.name) };
        let (mark, mode) = (reply.mark(), super::execute::begin_command(session));
        session.last_command = index;
        let result = self.with_exec(session, found, |cx| finish(cx, args, gathered, reply));
        if let Err(error) = &result {
            reply.truncate(mark);
            self.write_error(reply, error);
        }
        self.count(index, result.is_ok());
        super::execute::after_command(session, reply, mark, mode, row);
        batch.next += 1;
        self.departures.push_back(batch);
    }
}
