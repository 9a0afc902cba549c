//! One command on this core: its gates, its handler, and the settling of what it changed.

use super::input::Found;
use super::{table, Core};
use crate::plan::Plan;
use commands::{Command, CommandError, Exec, ReplyMode, Run, Session};
use keyspace::{Access, Expired, Touch, View};
use resp::{Args, Reply};

/// Different first words of errors that are counted.
const ERROR_CODES: usize = 128;

impl Core {
    /// Looks a command up and finds where its first key is.
    pub(super) fn find(&self, args: Args<'_>) -> Found {
        let row = table().find(args);
        let first =
            row.and_then(|(_, row)| row.first_key(args)).map(|at| (at, self.keyspace.locate(args.get(at))));
        Found { row, first }
    }

    /// What is to be done with a command.
    pub(super) fn plan(&self, session: &Session, args: Args<'_>, found: Found) -> Plan {
        match found.row {
            None if is_http(args.get(0)) => Plan::HangUp,
            None => Plan::Refuse(table().why_not(args)),
            Some((_, row)) => self.planning().plan(row, session, args, found.first.map(|(_, place)| place)),
        }
    }

    /// As [`Core::plan`], for a command all of whose slots are held for it.
    pub(super) fn plan_locked(&self, session: &Session, args: Args<'_>, found: Found) -> Plan {
        match found.row {
            None => Plan::Refuse(table().why_not(args)),
            Some((_, row)) => {
                let mut planning = self.planning();
                planning.all_held = true;
                planning.plan(row, session, args, found.first.map(|(_, place)| place))
            }
        }
    }

    /// Runs a command whose plan is [`Plan::Run`], or that is at its connection's core, and settles it.
    pub(super) fn execute(&mut self, session: &mut Session, reply: &mut Reply, args: Args<'_>, found: Found) {
        let (index, row) = found.row.expect("a planned command has a row");
        let (Run::Keys(handler) | Run::Here(handler) | Run::Slot(_, handler) | Run::Origin(handler)) =
            row.run
        else {
            unreachable!("{} does not run on one core", row.name);
        };
        let (mark, mode) = (reply.mark(), begin_command(session));
        session.last_command = index;
        let db = session.db;
        let result = self.with_exec(session, found, |cx| handler(cx, args, reply));
        if let Err(error) = &result {
            reply.truncate(mark);
            self.write_error(reply, error);
        }
        if self.waiting.is_some() {
            // It is answered, and counted, when it is served. A CLIENT REPLY SKIP holds until then.
            session.reply_mode = mode;
            return;
        }
        self.count(index, result.is_ok());
        self.settle(db, args);
        after_command(session, reply, mark, mode, row);
        if self.keyspace.has_touched() {
            self.wake_waiters();
        }
    }

    /// Answers a refused command.
    pub(super) fn refuse(
        &mut self,
        session: &mut Session,
        reply: &mut Reply,
        row: Option<(u16, &'static Command)>,
        error: &CommandError,
    ) {
        let (mark, mode) = (reply.mark(), begin_command(session));
        self.write_error(reply, error);
        let arity = || match error {
            CommandError::WrongArity(name) => table().rows().position(|row| row.name == *name),
            _ => None,
        };
        if let Some(index) = row.map(|(index, _)| index).or_else(|| Some(arity()? as u16)) {
            self.counters(index).rejected += 1;
        }
        session.asking = false;
        if mode != ReplyMode::On {
            silence(session, reply, mark, mode);
        }
    }

    /// How keys are looked at now: nothing expires while clients are paused (rule R3).
    pub(super) fn access(&self) -> Access {
        match self.pause.until_ms {
            0 => self.settings.access,
            _ => Access { expired: Expired::Hide, ..self.settings.access },
        }
    }

    /// Gives `run` what a handler gets.
    pub(super) fn with_exec<R>(
        &mut self,
        session: &mut Session,
        found: Found,
        run: impl FnOnce(&mut Exec<'_>) -> R,
    ) -> R {
        let mut access = self.access();
        if session.no_touch {
            access.touch = match access.touch {
                Touch::Lru => Touch::No,
                _ => Touch::NoLfu,
            };
        }
        let Core {
            id, keyspace, homes, locks, random, config, settings, facts, effects, now, waiting, ..
        } = self;
        let mut exec = Exec {
            keys: View::new(keyspace, session.db, now.unix_ms(), access),
            session,
            config,
            limits: &settings.types,
            facts,
            effects,
            now: *now,
            random: &mut || random.bits(),
            first_key: found.first,
            waiting,
            at_home: &|slot| homes[slot.index()] == *id && !locks.is_held(slot),
        };
        run(&mut exec)
    }

    /// Turns what the command changed into its part of the log.
    pub(super) fn settle(&mut self, db: u16, args: Args<'_>) {
        if self.keyspace.has_expired() {
            self.log_expired();
        }
        let effects = &mut self.effects;
        if effects.dirty == 0 && effects.words.is_empty() {
            return;
        }
        self.facts.totals.dirty += effects.dirty;
        self.log.append(db, |bytes| match effects.words.is_empty() {
            true => commands::write_command(bytes, args.iter()),
            false => bytes.append(&mut effects.words),
        });
        effects.dirty = 0;
        effects.words.clear();
    }

    /// As [`Core::settle`], for the visits of a tour but the first: what changed is counted, the words
    /// are the first one's.
    pub(super) fn settle_silently(&mut self) {
        self.facts.totals.dirty += self.effects.dirty;
        self.effects.clear();
    }

    /// Logs the removal of keys that the command found expired: before what the command changed.
    fn log_expired(&mut self) {
        let word: &[u8] = if self.settings.unlink_expired { b"UNLINK" } else { b"DEL" };
        for gone in self.keyspace.take_expired() {
            self.facts.totals.expired += 1;
            self.log.append(gone.db, |bytes| commands::write_command(bytes, &[word, &gone.key]));
        }
    }

    pub(super) fn write_error(&mut self, reply: &mut Reply, error: &CommandError) {
        let totals = &mut self.facts.totals;
        totals.error_replies += 1;
        let code = error.code();
        if totals.errors_by_code.len() < ERROR_CODES || totals.errors_by_code.contains_key(&code) {
            *totals.errors_by_code.entry(code).or_default() += 1;
        }
        error.write(reply);
    }

    pub(super) fn count(&mut self, index: u16, succeeded: bool) {
        self.facts.totals.commands += 1;
        let counters = self.counters(index);
        counters.calls += 1;
        counters.failed += u64::from(!succeeded);
    }

    fn counters(&mut self, index: u16) -> &mut commands::facts::CommandCounters {
        let all = &mut self.facts.totals.by_command;
        if all.len() <= usize::from(index) {
            all.resize(table().len(), Default::default());
        }
        &mut all[usize::from(index)]
    }
}

/// What holds for one command only ends with it; replies that CLIENT REPLY silenced are undone.
pub(super) fn after_command(
    session: &mut Session,
    reply: &mut Reply,
    mark: resp::Mark,
    mode: ReplyMode,
    row: &Command,
) {
    if session.asking && row.name != "asking" {
        session.asking = false;
    }
    if reply.protocol() != session.protocol {
        reply.set_protocol(session.protocol);
    }
    if mode != ReplyMode::On || session.reply_mode != ReplyMode::On {
        silence(session, reply, mark, mode);
    }
}

/// CLIENT REPLY SKIP holds for the command that begins now. How replies were treated before.
pub(super) fn begin_command(session: &mut Session) -> ReplyMode {
    let mode = session.reply_mode;
    if mode == ReplyMode::SkipNext {
        session.reply_mode = ReplyMode::Skip;
    }
    mode
}

fn silence(session: &mut Session, reply: &mut Reply, mark: resp::Mark, mode: ReplyMode) {
    match session.reply_mode {
        // CLIENT REPLY ON itself is answered.
        ReplyMode::On => {}
        ReplyMode::SkipNext if mode == ReplyMode::On => {}
        ReplyMode::Off | ReplyMode::SkipNext => reply.truncate(mark),
        ReplyMode::Skip => {
            reply.truncate(mark);
            session.reply_mode = ReplyMode::On;
        }
    }
}

/// The first words of a request that a browser was tricked into (cross-protocol scripting).
#[cold]
fn is_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}
