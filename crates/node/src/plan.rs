//! Where a command runs, or why it is refused: the gates, in the order of Redis.
//!
//! 1. the command and its arity;  2. authentication;  3. the cluster: owner of the slot, one slot only;
//! 4. memory;  5. CLIENT PAUSE;  6. the cores and locks of this node.
//!
//! Pure, and asked again wherever a batch arrives: routing is a hint (rule R3), the core that holds
//! the slot decides.

use crate::locks::Locks;
use cluster::{ClusterState, RoutingMap};
use commands::table::Flags;
use commands::{Command, CommandError, Run, Session};
use keyspace::Place;
use resp::Args;
use slot::Slot;

/// CLIENT PAUSE as a core knows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pause {
    /// Unix milliseconds of its end; 0 when there is none.
    pub until_ms: u64,
    /// Reads pass.
    pub writes_only: bool,
}

/// What is to be done with a command.
#[derive(Debug)]
pub enum Plan {
    /// Run it now on this core.
    Run,
    /// Run it on this core when this slot (or the core) is free.
    Blocked(Slot),
    /// Take it to this core.
    Travel(u8),
    /// Lock slots of several cores, or of this one while some are taken.
    Lock,
    /// Take it to the connection's own core, which runs it or starts its tour or asks the control plane.
    Home,
    /// Wait for the end of CLIENT PAUSE.
    Paused,
    /// Answer this.
    Refuse(CommandError),
    /// Close the connection without a word: somebody speaks HTTP, maybe with a stranger's hand.
    HangUp,
}

/// What planning looks at. All of it is this core's own copy.
pub struct Facts<'a> {
    /// This core.
    pub here: u8,
    /// The core of each slot.
    pub homes: &'a [u8],
    /// Locks of this core's slots.
    pub locks: &'a Locks,
    /// The cluster, unless standalone.
    pub routing: Option<&'a RoutingMap>,
    /// Whether keys of several slots are allowed when all are this node's.
    pub cross_slot: bool,
    /// CLIENT PAUSE.
    pub pause: Pause,
    /// All slots of the command are locked for it and here.
    pub all_held: bool,
    /// A slot that is locked for this command.
    pub claimed: Option<Slot>,
    /// No memory is left for commands that need some.
    pub out_of_memory: bool,
}

impl Facts<'_> {
    /// The plan for a command that exists and whose arity fits. `first` is the place of its first key.
    pub fn plan(&self, row: &Command, session: &Session, args: Args<'_>, first: Option<Place>) -> Plan {
        if !session.authenticated && !row.flags.has(Flags::NO_AUTH) {
            return Plan::Refuse(CommandError::NoAuth);
        }
        let slots = match row.run {
            Run::Keys(_) => match first {
                Some(first) => first.slot,
                None => return self.gated(row, Plan::Run),
            },
            Run::Slot(slot_of, _) => match slot_of(args) {
                Some(slot) => return self.gated(row, self.one_slot(slot)),
                None => return self.gated(row, Plan::Run),
            },
            Run::Here(_) | Run::Container => return self.gated(row, Plan::Run),
            Run::Cluster(_) if self.routing.is_none() => return Plan::Refuse(CommandError::not_a_cluster()),
            Run::Origin(_) | Run::EveryCore(_) | Run::Cluster(_) | Run::Control(_) => {
                return self.gated(row, Plan::Home)
            }
        };
        let single = row.is_single_key(args);
        if let Some(routing) = self.routing {
            if let Err(error) = self.redirect(routing, row, session, args, slots, single) {
                return Plan::Refuse(error);
            }
        }
        let plan = if single { self.one_slot(slots) } else { self.several_slots(row, args, slots) };
        self.gated(row, plan)
    }

    /// The gates that do not look at keys.
    fn gated(&self, row: &Command, plan: Plan) -> Plan {
        if self.out_of_memory && row.flags.has(Flags::DENYOOM) {
            return Plan::Refuse(CommandError::OutOfMemory);
        }
        let pause = self.pause;
        if pause.until_ms != 0 && (!pause.writes_only || row.flags.has(Flags::WRITE.or(Flags::MAY_REPLICATE)))
        {
            return Plan::Paused;
        }
        plan
    }

    #[inline]
    fn blocks(&self, slot: Slot) -> bool {
        self.locks.blocks(slot) && self.claimed != Some(slot)
    }

    fn one_slot(&self, slot: Slot) -> Plan {
        let home = self.homes[slot.index()];
        if self.all_held {
            Plan::Run
        } else if home != self.here {
            Plan::Travel(home)
        } else if self.blocks(slot) {
            Plan::Blocked(slot)
        } else {
            Plan::Run
        }
    }

    fn several_slots(&self, row: &Command, args: Args<'_>, first: Slot) -> Plan {
        let home = self.homes[first.index()];
        let (mut one_core, mut one_slot, mut blocked) = (true, true, false);
        // Keys that cannot be found are for the handler to refuse.
        let _ = row.for_each_key(args, |at| {
            let slot = slot::slot_of(args.get(at));
            one_slot &= slot == first;
            one_core &= self.homes[slot.index()] == home;
            blocked |= self.blocks(slot);
        });
        match () {
            () if self.all_held => Plan::Run,
            () if one_slot => self.one_slot(first),
            () if !one_core => Plan::Lock,
            () if home != self.here => Plan::Travel(home),
            () if blocked => Plan::Lock,
            () => Plan::Run,
        }
    }

    /// The cluster's decision (the reference's section 12): first match wins.
    fn redirect(
        &self,
        routing: &RoutingMap,
        row: &Command,
        session: &Session,
        args: Args<'_>,
        first: Slot,
        single: bool,
    ) -> Result<(), CommandError> {
        let owner = routing.owner(first).ok_or(CommandError::SlotNotServed)?;
        if !single {
            let mut crossed = false;
            let mut unbound = false;
            let mut foreign = false;
            let _ = row.for_each_key(args, |at| {
                let slot = slot::slot_of(args.get(at));
                crossed |= slot != first;
                unbound |= routing.owner(slot).is_none();
                foreign |= routing.owner(slot).is_some_and(|node| !node.is_myself);
            });
            if crossed && !(self.cross_slot && !unbound && !foreign) {
                return Err(CommandError::CrossSlot);
            }
        }
        if routing.state != ClusterState::Ok {
            let reads = routing.allow_reads_when_down;
            if !reads {
                return Err(CommandError::ClusterDown);
            }
            if row.flags.has(Flags::WRITE) {
                return Err(CommandError::ClusterDownReadsOnly);
            }
        }
        let _ = session; // READONLY matters once this node can be a replica; ASKING once slots migrate
        if owner.is_myself {
            return Ok(());
        }
        Err(CommandError::Moved { slot: first, endpoint: owner.endpoint.clone(), port: owner.port })
    }
}
