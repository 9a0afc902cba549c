//! Slots of several cores for one runner (architecture, "Leases"; rule R5).
//!
//!     asker ---Lock---> home 0 ---Lock---> home 1 ---Granted---> runner: attach, run, detach
//!                       locks, detaches    locks, detaches          '---Return---> home 0, home 1
//!
//! The request locks in ascending order of (core, slot), the runner's own slots in their place, and
//! ends at the runner, which executes everything in one call: no lent slot is seen half done.
//!
//! 1. A slot is detached only once all wanted slots of its core are locked.
//! 2. What the runner changed is sealed before the slots leave it, as all messages are (rule R1).

use super::travel::LOOK_AHEAD;
use super::Core;
use crate::message::{Batch, LockRequest, Message};
use crate::plan::Plan;
use commands::Run;
use keyspace::LentSlot;
use slot::Slot;

impl Core {
    /// Asks for all slots that the next commands of the batch need.
    pub(super) fn ask_locks(&mut self, batch: Box<Batch>) {
        let (slots, until) = self.wanted_slots(&batch);
        let mut count = [0usize; 64];
        slots.iter().for_each(|&(home, _)| count[usize::from(home)] += 1);
        let most = count.iter().copied().max().unwrap_or(0);
        let runner = match count[usize::from(batch.origin)] == most {
            true => batch.origin,
            false => count.iter().position(|&n| n == most).unwrap_or(0) as u8,
        };
        let first = slots[0].0;
        let request = Box::new(LockRequest { slots, locked: 0, runner, lent: Vec::new(), batch, until });
        match first == self.id {
            true => self.lock(request),
            false => self.send(first, Message::Lock(request)),
        }
    }

    /// The slots of the next commands in locking order, and the first command that is not covered.
    fn wanted_slots(&self, batch: &Batch) -> (Vec<(u8, Slot)>, usize) {
        let mut slots = Vec::new();
        let last = batch.commands.len().min(batch.next + LOOK_AHEAD);
        let mut until = batch.next;
        for i in batch.next..last {
            let args = batch.commands.args(i);
            let found = self.find(args);
            let mut want = |slot: Slot| slots.push((self.homes[slot.index()], slot));
            match found.row.map(|(_, row)| (row, row.run)) {
                None | Some((_, Run::Here(_) | Run::Container)) => {}
                Some((row, Run::Keys(_))) => {
                    let _ = row.for_each_key(args, |at| want(slot::slot_of(args.get(at))));
                }
                Some((_, Run::Slot(slot_of, _))) => slot_of(args).into_iter().for_each(want),
                Some(_) => break,
            }
            until = i + 1;
        }
        slots.sort_unstable();
        slots.dedup();
        (slots, until)
    }

    /// A request for slots of this core arrives.
    pub(super) fn lock(&mut self, request: Box<LockRequest>) {
        if let Some(request) = self.locks.request(self.id, request) {
            self.locked_here(request);
        }
    }

    /// A request holds all that it wants of this core: lends it out and sends it on.
    pub(super) fn locked_here(&mut self, mut request: Box<LockRequest>) {
        if request.runner != self.id {
            let mine = request.slots.iter().filter(|&&(home, _)| home == self.id);
            for &(_, slot) in mine {
                request.lent.push((slot, self.keyspace.detach(slot)));
            }
        }
        match request.slots.get(request.locked) {
            Some(&(next, _)) => self.send(next, Message::Lock(request)),
            None if request.runner == self.id => self.run_granted(*request),
            None => self.send(request.runner, Message::Granted(request)),
        }
    }

    /// All slots are here: runs the covered commands, and gives the slots back.
    pub(super) fn run_granted(&mut self, request: LockRequest) {
        let LockRequest { slots, lent, mut batch, until, .. } = request;
        let lent: Vec<Slot> = lent
            .into_iter()
            .map(|(slot, content)| {
                self.keyspace.attach(content);
                slot
            })
            .collect();
        while batch.next < until && !batch.session.close {
            let Batch { commands, session, reply, next, .. } = &mut *batch;
            let args = commands.args(*next);
            let found = self.find(args);
            match self.plan_locked(session, args, found) {
                Plan::Run => {
                    self.execute(session, reply, args, found);
                    if let Some(wait) = self.waiting.take() {
                        self.park(&mut batch, wait);
                        break;
                    }
                }
                Plan::Refuse(error) => self.refuse(session, reply, found.row, &error),
                _ => break,
            }
            self.command_ended(&mut batch);
            if self.keyspace.has_touched() {
                // Who waits for one of these keys is served before the next command.
                break;
            }
        }
        self.give_back(&slots, lent);
        batch.visited = 0;
        match batch.wait.as_ref().is_some_and(|wait| wait.is_parked) {
            true => self.go_home(batch),
            false => self.departures.push_back(batch),
        }
    }

    fn give_back(&mut self, slots: &[(u8, Slot)], lent: Vec<Slot>) {
        let mut returns: Vec<(u8, Vec<(Slot, LentSlot)>)> = Vec::new();
        for slot in lent {
            let home = self.homes[slot.index()];
            let content = self.keyspace.detach(slot);
            match returns.last_mut() {
                Some((to, group)) if *to == home => group.push((slot, content)),
                _ => returns.push((home, vec![(slot, content)])),
            }
        }
        for (home, group) in returns {
            self.send(home, Message::Return(group));
        }
        let here = self.id;
        self.locks.release(slots.iter().filter(|(home, _)| *home == here).map(|&(_, slot)| slot));
    }

    /// Slots of this core come back from a runner.
    pub(super) fn take_back(&mut self, returned: Vec<(Slot, LentSlot)>) {
        let slots: Vec<Slot> = returned.iter().map(|&(slot, _)| slot).collect();
        for (slot, content) in returned {
            self.keyspace.attach(content);
            self.keyspace.watch_slot(slot, self.waiters.has_slot(slot));
        }
        self.locks.release(slots.into_iter());
    }
}
