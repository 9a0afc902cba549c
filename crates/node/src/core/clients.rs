//! The clients of one core, as CLIENT LIST, KILL, PAUSE see them.

use super::{BuildIdHasher, Core};
use crate::connection::{Connection, Whereabouts};
use crate::message::ConnId;
use crate::plan::Pause;
use commands::exec::{ClientRow, Clients};
use commands::Now;
use std::collections::HashMap;

/// A core's connections while a tour visits it.
pub(super) struct ClientsHere<'a> {
    pub connections: &'a mut HashMap<ConnId, Box<Connection>, BuildIdHasher>,
    pub pause: &'a mut Pause,
    /// Those to be closed once the visit is over.
    pub ended: &'a mut Vec<ConnId>,
    /// CLIENT UNPAUSE was asked.
    pub unpaused: bool,
    /// CLIENT UNBLOCK found these, and whether they get an error.
    pub unblocked: Vec<(ConnId, bool)>,
    pub now: Now,
}

impl ClientsHere<'_> {
    fn row(&self, connection: &Connection) -> ClientRow {
        let seconds_since = |us: u64| self.now.unix_us.saturating_sub(us) / 1_000_000;
        ClientRow {
            session: connection.session.clone(),
            fd: connection.id.0 & 0xffff_ffff,
            age_s: seconds_since(connection.since_us),
            idle_s: seconds_since(connection.last_us),
            query_bytes: connection.query_bytes(),
            output_bytes: connection.output_bytes(),
            flags: match (&connection.whereabouts, connection.close_after_replies) {
                (_, true) => "c",
                (Whereabouts::Blocked(_), _) => "b",
                _ => "N",
            },
            paused: self.pause.until_ms != 0 && matches!(connection.whereabouts, Whereabouts::Away),
        }
    }
}

impl Clients for ClientsHere<'_> {
    fn each(&self, f: &mut dyn FnMut(&ClientRow)) {
        let mut all: Vec<&Connection> = self.connections.values().map(|c| &**c).filter(|c| !c.gone).collect();
        all.sort_unstable_by_key(|connection| connection.session.id);
        all.into_iter().for_each(|connection| f(&self.row(connection)));
    }

    fn kill(&mut self, id: u64, caller: bool) {
        for connection in self.connections.values_mut().filter(|c| c.session.id == id && !c.gone) {
            match caller {
                true => connection.close_after_replies = true,
                false => self.ended.push(connection.id),
            }
        }
    }

    fn pause(&mut self, until_ms: u64, writes_only: bool) {
        // As Redis: a pause is only ever prolonged, and the stricter kind holds.
        let running = self.pause.until_ms != 0;
        self.pause.until_ms = self.pause.until_ms.max(until_ms);
        self.pause.writes_only = writes_only && (!running || self.pause.writes_only);
    }

    fn unpause(&mut self) {
        self.unpaused = true;
    }

    fn unblock(&mut self, id: u64, with_error: bool) -> bool {
        let blocked =
            |c: &&Box<Connection>| c.session.id == id && matches!(c.whereabouts, Whereabouts::Blocked(_));
        let found = self.connections.values().find(blocked).map(|connection| connection.id);
        self.unblocked.extend(found.map(|conn| (conn, with_error)));
        found.is_some()
    }
}

impl Core {
    /// Closes the connections that a visit ended.
    pub(super) fn end_clients(&mut self, ended: Vec<ConnId>) {
        for conn in ended {
            if let Some(mut connection) = self.connections.remove(&conn) {
                self.end_connection(&mut connection);
                self.put_back(connection);
            }
        }
    }
}
