//! From received bytes to commands, and the pace at which one connection may go.
//!
//! A chunk of commands is parsed, all are looked up, then the places of all keys are prefetched, then
//! all run: independent misses of the cache overlap.
//!
//!     bytes -> parse up to CHUNK -> look up, hash, prefetch entries -> prefetch records -> run
//!                                                              first that cannot run here: the rest departs
//!
//! 1. A connection runs at most COMMANDS_A_TURN commands a turn; what is left makes it runnable.
//! 2. No command of a connection runs while its replies are above the bound: memory for a client that
//!    does not read is bounded by that, one reply, and INPUT_KEPT.
//! 3. Receiving stops when more than INPUT_KEPT bytes wait that could be parsed but may not be run.

use super::{table, Core, Output};
use crate::connection::{BigValue, Connection};
use crate::message::ConnId;
use crate::plan::Plan;
use commands::Command;
use keyspace::Place;
use resp::State;
use std::ops::Range;

/// Commands parsed, prefetched and run together.
const CHUNK: usize = 32;
/// Commands that one connection runs before others have their turn.
const COMMANDS_A_TURN: usize = 256;
/// Input kept for a connection whose commands may not run now, bytes.
const INPUT_KEPT: usize = 64 * 1024;
/// Unsent replies above which a connection's commands wait, bytes, unless a limit is configured.
const REPLIES_KEPT: usize = 1024 * 1024;

/// Room for the part of a big value that comes in the turn in which it is announced, bytes.
const GATHERED: usize = 256 * 1024;

/// Kept from turn to turn, so that parsing allocates nothing.
#[derive(Default)]
pub(super) struct Scratch {
    batch: resp::Batch,
    found: Vec<Found>,
}

/// What the look-up of a command found.
#[derive(Clone, Copy)]
pub(super) struct Found {
    /// Its row and the row's index, unless its name or arity is wrong.
    pub row: Option<(u16, &'static Command)>,
    /// Where its first key is.
    pub first: Option<(usize, Place)>,
}

impl Core {
    /// Bytes were received.
    pub fn handle_received(&mut self, conn: ConnId, bytes: &[u8]) {
        self.facts.totals.net_input += bytes.len() as u64;
        let Some(mut connection) = self.connections.remove(&conn) else { return };
        connection.last_us = self.now.unix_us;
        if connection.gone || connection.close_after_replies {
            self.put_back(connection);
            return;
        }
        let bytes = self.fill_big(&mut connection, bytes);
        if connection.input.is_empty() && self.may_run(&connection) && connection.big.is_none() {
            let kept = self.execute_input(&mut connection, bytes);
            connection.input.extend_from_slice(&bytes[kept]);
        } else {
            connection.input.extend_from_slice(bytes);
            self.advance(&mut connection);
        }
        self.put_back(connection);
        self.run_ready();
    }

    /// The buffer asked for by [`Output::ReceiveBig`] is full.
    pub fn handle_big_received(&mut self, conn: ConnId, buffer: Vec<u8>) {
        let Some(mut connection) = self.connections.remove(&conn) else { return };
        connection.last_us = self.now.unix_us;
        if let Some(big) = connection.big.take() {
            self.facts.totals.net_input += big.whole as u64;
            connection.partial.big_received(buffer);
            self.advance(&mut connection);
        }
        self.put_back(connection);
        self.run_ready();
    }

    /// Runs what the connection's input holds, as far as it may.
    pub(super) fn advance(&mut self, connection: &mut Connection) {
        if !self.may_run(connection) || connection.big.is_some() {
            return;
        }
        let mut input = std::mem::take(&mut connection.input);
        let kept = self.execute_input(connection, &input);
        if kept.is_empty() {
            return;
        }
        input.truncate(kept.end);
        input.drain(..kept.start);
        connection.input = input;
    }

    fn may_run(&self, connection: &Connection) -> bool {
        connection.is_ready()
            && !connection.close_after_replies
            && (connection.gone || connection.output_bytes() < self.replies_kept())
    }

    fn replies_kept(&self) -> usize {
        match self.settings.output_limit.hard_bytes {
            0 => REPLIES_KEPT,
            hard => hard as usize,
        }
    }

    /// Runs commands of `bytes`, which begins at a command's start. The part of it to be kept.
    fn execute_input(&mut self, connection: &mut Connection, bytes: &[u8]) -> Range<usize> {
        let mut limits = self.settings.limits.clone();
        let mut scratch = std::mem::take(&mut self.scratch);
        if let Some(buffer) = self.spare.pop_if(|_| connection.out.is_empty()) {
            connection.out.reuse(buffer);
        }
        let mut done = 0;
        let mut end = bytes.len();
        let mut share = COMMANDS_A_TURN;
        while done < end {
            if !self.may_run(connection) {
                break;
            }
            if share == 0 {
                self.make_runnable(connection);
                break;
            }
            limits.authenticated = connection.session.authenticated;
            let rest = &bytes[done..];
            scratch.batch.clear();
            let parsed =
                resp::parse(rest, &mut connection.partial, &limits, CHUNK.min(share), &mut scratch.batch);
            share -= scratch.batch.len();
            let last = scratch.batch.commands().last().map_or(0, |frame| frame.end as usize);
            self.execute_chunk(connection, rest, &mut scratch);
            if connection.close_after_replies {
                done = end;
                break;
            }
            done += last;
            match parsed {
                Ok(progress) => {
                    done += progress.consumed - last;
                    match progress.state {
                        State::Complete => continue,
                        State::NeedMore => break,
                        State::Big { len, already } => {
                            end -= already;
                            self.receive_big(connection, len, &bytes[end..]);
                            break;
                        }
                    }
                }
                // The commands in front of it have departed: it is found again when they are home.
                Err(_) if !connection.is_ready() => break,
                Err(error) => {
                    error.write(&mut connection.out);
                    self.facts.totals.error_replies += 1;
                    connection.close_after_replies = true;
                    done = end;
                    break;
                }
            }
        }
        scratch.batch.clear();
        self.scratch = scratch;
        let unused = connection.out.spare_buffer();
        self.keep_spare(unused);
        self.note_replies(connection);
        done..end
    }

    /// Begins a big value. What comes in this turn is gathered here; then the shell is asked to receive the
    /// rest, straight into a buffer for the whole.
    fn receive_big(&mut self, connection: &mut Connection, len: usize, already: &[u8]) {
        let whole = len + 2;
        let mut buffer = Vec::with_capacity(whole.min(GATHERED));
        buffer.extend_from_slice(already);
        connection.big = Some(BigValue { buffer, whole, asked: false });
        self.receiving_big.push(connection.id);
    }

    /// Puts received bytes into the big value that the connection waits for. What is left of them.
    fn fill_big<'b>(&mut self, connection: &mut Connection, bytes: &'b [u8]) -> &'b [u8] {
        let Some(big) = connection.big.as_mut().filter(|big| !big.asked) else { return bytes };
        let taken = bytes.len().min(big.whole - big.buffer.len());
        big.buffer.extend_from_slice(&bytes[..taken]);
        if big.buffer.len() == big.whole {
            let big = connection.big.take().expect("just seen");
            connection.partial.big_received(big.buffer);
            self.advance(connection);
        }
        &bytes[taken..]
    }

    /// At the end of a turn: asks the shell to receive what is missing of big values.
    pub(super) fn ask_for_big_values(&mut self) {
        for conn in std::mem::take(&mut self.receiving_big) {
            let Some(connection) = self.connections.get_mut(&conn).filter(|c| !c.gone) else { continue };
            let Some(big) = connection.big.as_mut().filter(|big| !big.asked) else { continue };
            big.asked = true;
            let buffer = std::mem::take(&mut big.buffer);
            self.outputs.push_back(Output::ReceiveBig { conn, received: buffer, whole: big.whole });
        }
    }

    fn execute_chunk(&mut self, connection: &mut Connection, bytes: &[u8], scratch: &mut Scratch) {
        let Scratch { batch, found } = scratch;
        let db = connection.session.db;
        found.clear();
        for i in 0..batch.len() {
            let args = batch.args(bytes, i);
            let row = table().find(args);
            let first = row
                .and_then(|(_, row)| row.first_key(args))
                .map(|at| (at, self.keyspace.locate(args.get(at))));
            if let Some((_, place)) = first {
                self.keyspace.prefetch_entry(db, place);
            }
            found.push(Found { row, first });
        }
        if found.len() > 1 {
            for found in found.iter() {
                if let Some((_, place)) = found.first {
                    self.keyspace.prefetch_record(db, place);
                }
            }
        }
        for (i, &found) in found.iter().enumerate() {
            let args = batch.args(bytes, i);
            match self.plan(&connection.session, args, found) {
                Plan::Run => {
                    self.execute(&mut connection.session, &mut connection.out, args, found);
                    if let Some(wait) = self.waiting.take() {
                        self.depart(connection, batch.to_owned(bytes, i));
                        let mut batch = self.departures.pop_back().expect("it departs");
                        self.park(&mut batch, wait);
                        self.departures.push_back(batch);
                        return;
                    }
                }
                Plan::Refuse(error) => {
                    self.refuse(&mut connection.session, &mut connection.out, found.row, &error)
                }
                Plan::HangUp => {
                    connection.out.clear();
                    connection.session.close = true;
                }
                _ => {
                    self.depart(connection, batch.to_owned(bytes, i));
                    return;
                }
            }
            if connection.session.close {
                connection.close_after_replies = true;
                return;
            }
        }
    }

    /// Stops or resumes receiving, and ends a client whose unsent replies outgrow its limit.
    pub(super) fn balance_receiving(&mut self, connection: &mut Connection) {
        if connection.gone {
            return;
        }
        let pause = connection.input.len() > INPUT_KEPT && (!self.may_run(connection) || connection.runnable);
        if pause != connection.receive_paused {
            connection.receive_paused = pause;
            self.outputs.push_back(match pause {
                true => Output::PauseReceive(connection.id),
                false => Output::ResumeReceive(connection.id),
            });
        }
        let limit = self.settings.output_limit;
        let unsent = connection.output_bytes() as u64;
        let now_ms = self.now.unix_ms();
        let above_soft = limit.soft_bytes != 0 && unsent >= limit.soft_bytes;
        let since = *connection.above_soft_since_ms.get_or_insert(now_ms);
        if !above_soft {
            connection.above_soft_since_ms = None;
        }
        let too_long = above_soft && now_ms.saturating_sub(since) > u64::from(limit.soft_seconds) * 1000;
        if (limit.hard_bytes != 0 && unsent >= limit.hard_bytes) || too_long {
            self.end_connection(connection);
        }
    }

    /// Closes a connection at once: nothing more is read, replies are dropped.
    pub(super) fn end_connection(&mut self, connection: &mut Connection) {
        connection.gone = true;
        connection.input.clear();
        connection.out.clear();
        connection.in_flight = 0;
        self.outputs.push_back(Output::Close(connection.id));
    }
}
