//! What a core does unasked, in bounded steps: expiry, defragmentation, freeing, idle clients.
//!
//! The shell calls `handle_timer` each [`TICK_MS`] milliseconds, and `free_some` at the end of each turn.
//! Every step is bounded by a count, so that no client waits for it; what is not done goes on the next time.
//!
//! Nothing here touches a slot that is locked or lent (rule R11).

use super::Core;
use crate::connection::{Connection, Whereabouts};
use crate::message::ConnId;
use keyspace::Gone;

/// Milliseconds between two calls of [`Core::handle_timer`].
pub const TICK_MS: u64 = 100;
/// Entries that one tick of the expiry cycle looks at, at most: about two milliseconds.
const EXPIRE_STEPS: usize = 50_000;
/// Entries looked at between two looks at how many of them had expired.
const EXPIRE_BATCH: usize = 2_000;
/// Entries that defragmentation looks at in a tick: about a millisecond, and some seconds for a million keys.
const DEFRAGMENT_STEPS: usize = 40_000;
/// Steps of freeing a turn: some thirty microseconds.
const FREE_STEPS: usize = 1_000;
/// Idle connections looked at a second: all of ten thousand, within a millisecond.
const TIMEOUT_EVERY_MS: u64 = 1_000;

/// What a core takes without any key, about: it counts as used, as in Redis.
pub(super) const CORE_BYTES: i64 = 1 << 20;

/// When what was done last.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    second_ms: u64,
    commands_then: u64,
    timeouts_ms: u64,
}

impl Core {
    /// A tick.
    pub fn handle_timer(&mut self) {
        let now_ms = self.now.unix_ms();
        self.count_operations(now_ms);
        if now_ms.saturating_sub(self.upkeep.timeouts_ms) >= TIMEOUT_EVERY_MS {
            self.upkeep.timeouts_ms = now_ms;
            self.end_idle_clients();
            self.end_slow_readers();
        }
        if self.facts.active_expire && self.pause.until_ms == 0 && !self.locks.exclusive() {
            self.expire_cycle(now_ms);
        }
        if !self.locks.exclusive() {
            let locks = &self.locks;
            self.keyspace.defragment(DEFRAGMENT_STEPS, |slot| !locks.is_held(slot));
        }
        self.run_ready();
    }

    /// Frees a little of what FLUSHALL and the like left, at the end of a turn. Whether there is more, so that
    /// the shell does not sleep.
    pub fn free_some(&mut self) -> bool {
        self.keyspace.background(FREE_STEPS)
    }

    fn count_operations(&mut self, now_ms: u64) {
        let passed = now_ms.saturating_sub(self.upkeep.second_ms);
        if passed >= 1_000 {
            let commands = self.facts.totals.commands;
            let done = commands.saturating_sub(self.upkeep.commands_then);
            self.facts.totals.ops_per_second = done * 1_000 / passed;
            self.upkeep.commands_then = commands;
            self.upkeep.second_ms = now_ms;
        }
    }

    /// Removes expired keys and fields; goes on only while it finds many.
    fn expire_cycle(&mut self, now_ms: u64) {
        let mut steps = 0;
        while steps < EXPIRE_STEPS {
            let Core { keyspace, log, facts, locks, effects, .. } = self;
            let progress = keyspace.active_expire(
                now_ms,
                EXPIRE_BATCH,
                |slot| !locks.is_held(slot),
                |db, _slot, gone| {
                    facts.totals.expired += u64::from(matches!(gone, Gone::Key(_)));
                    log.append(db, |bytes| {
                        if effects.wanted {
                            write_removal(bytes, gone);
                        }
                    });
                },
            );
            steps += EXPIRE_BATCH;
            if progress.done || progress.changed * 10 < progress.steps {
                break;
            }
        }
    }

    /// `timeout`: closes clients that sent nothing for so long.
    fn end_idle_clients(&mut self) {
        let timeout_us = u64::from(self.config.timeout()) * 1_000_000;
        if timeout_us == 0 {
            return;
        }
        let now_us = self.now.unix_us;
        let idle: Vec<ConnId> = self
            .connections
            .values()
            .filter(|c| c.is_ready() && !c.gone && now_us.saturating_sub(c.last_us) > timeout_us)
            .map(|c| c.id)
            .collect();
        self.end_clients(idle);
    }

    /// `client-output-buffer-limit`: looks again at clients with replies above the soft limit, of which
    /// nothing is heard.
    fn end_slow_readers(&mut self) {
        let soft = self.settings.output_limit.soft_bytes;
        if soft == 0 {
            return;
        }
        let above = |connection: &Connection| connection.output_bytes() as u64 >= soft;
        let slow: Vec<ConnId> =
            self.connections.values().filter(|connection| above(connection)).map(|c| c.id).collect();
        for conn in slow {
            if let Some(connection) = self.connections.remove(&conn) {
                self.put_back(connection);
            }
        }
    }

    /// `maxmemory`: each core has an equal part of it. Nothing is evicted yet, so commands that need memory
    /// are refused above it.
    pub(super) fn look_at_memory(&mut self) {
        let limit = self.settings.maxmemory;
        if limit != 0 || self.out_of_memory {
            let part = limit / u64::from(self.cores);
            let used = self.keyspace.memory().used + CORE_BYTES;
            self.out_of_memory = limit != 0 && used > part as i64;
        }
    }

    /// Brings the counters that are computed on demand up to date, for INFO.
    pub(super) fn refresh_totals(&mut self) {
        let totals = &mut self.facts.totals;
        totals.clients = self.connections.len() as u64;
        totals.paused_clients = self.paused.len() as u64;
        let blocked =
            |connection: &&Box<Connection>| matches!(connection.whereabouts, Whereabouts::Blocked(_));
        totals.blocked_clients = self.connections.values().filter(blocked).count() as u64;
        totals.timed_clients = self.deadlines.len() as u64;
        (totals.blocking_keys, totals.blocking_keys_on_deletion) = self.waiters.count_keys();
        totals.max_input = self.connections.values().map(|c| c.query_bytes() as u64).max().unwrap_or(0);
        totals.max_output = self.connections.values().map(|c| c.output_bytes() as u64).max().unwrap_or(0);
        let memory = self.keyspace.memory();
        totals.used_memory = memory.used + CORE_BYTES;
    }
}

/// What the log says of something that expired.
fn write_removal(log: &mut Vec<u8>, gone: Gone<'_>) {
    match gone {
        Gone::Key(key) => commands::write_command(log, [&b"DEL"[..], key]),
        Gone::Fields { key, fields } => {
            let mut words: Vec<&[u8]> = vec![b"HDEL", key];
            words.extend(fields.iter().map(Vec::as_slice));
            commands::write_command(log, words);
        }
    }
}
