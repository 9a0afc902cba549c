//! Is there one order of all commands that explains every answer?
//!
//! The order must keep each client's own order, and real time: a command that was answered before
//! another was sent comes first. A search over the clients' next commands, remembering the places that
//! led nowhere (after Wing and Gong; Lowe's memory of states).

use crate::model::{Answer, Op, State};
use std::collections::HashSet;

/// A command as a client saw it.
#[derive(Clone, Debug)]
pub struct Event {
    /// What was sent.
    pub op: Op,
    /// When: steps of the world.
    pub sent: u64,
    /// When its answer came, and which; none if the client had gone.
    pub answered: Option<(u64, Answer)>,
}

/// What each client did, in its order.
pub type History = Vec<Vec<Event>>;

/// An order that explains the history ends in one of these states; none if there is no such order.
/// Unanswered commands may have taken effect or not, but in their client's order.
pub fn linearize(history: &History) -> Option<Vec<State>> {
    let mut search = Search { history, dead: HashSet::new(), ends: Vec::new() };
    let start = Place { next: vec![0; history.len()], dbs: vec![0; history.len()], state: State::default() };
    search.go(&start);
    (!search.ends.is_empty()).then_some(search.ends)
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Place {
    next: Vec<usize>,
    dbs: Vec<u8>,
    state: State,
}

struct Search<'a> {
    history: &'a History,
    dead: HashSet<Place>,
    ends: Vec<State>,
}

impl Search<'_> {
    /// Explores all orders: every end state matters, since the final keys must be one of them.
    fn go(&mut self, place: &Place) {
        if !self.dead.insert(place.clone()) {
            return;
        }
        let rest = |client: usize| self.history[client][place.next[client]..].iter();
        // A command may come next if none that is still to come was answered before it was sent.
        let mut all_answered = true;
        let mut first_answer = u64::MAX;
        for client in 0..self.history.len() {
            for event in rest(client) {
                if let Some((when, _)) = event.answered {
                    all_answered = false;
                    first_answer = first_answer.min(when);
                }
            }
        }
        if all_answered && !self.ends.contains(&place.state) {
            self.ends.push(place.state.clone());
        }
        for client in 0..self.history.len() {
            let Some(event) = self.history[client].get(place.next[client]) else { continue };
            if event.sent > first_answer {
                continue;
            }
            let mut then = place.clone();
            let answer = then.state.apply(&mut then.dbs[client], &event.op);
            if event.answered.as_ref().is_some_and(|(_, seen)| !same(&event.op, seen, &answer)) {
                continue;
            }
            then.next[client] += 1;
            self.go(&then);
        }
    }
}

/// KEYS answers in any order.
fn same(op: &Op, seen: &Answer, expected: &Answer) -> bool {
    match (op, seen) {
        (Op::Keys, Answer::Array(items)) => {
            let mut items = items.clone();
            items.sort_by_key(|item| format!("{item:?}"));
            &Answer::Array(items) == expected
        }
        _ => seen == expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(op: Op, sent: u64, answered: u64, answer: Answer) -> Event {
        Event { op, sent, answered: Some((answered, answer)) }
    }

    #[test]
    fn a_read_of_an_overwritten_value_is_refused() {
        let ok = || Answer::Status("OK".into());
        let writes =
            vec![event(Op::Set("a", "1".into()), 1, 2, ok()), event(Op::Set("a", "2".into()), 3, 4, ok())];
        let late = |value: &str| vec![event(Op::Get("a"), 5, 6, Answer::Bulk(Some(value.into())))];
        assert!(linearize(&vec![writes.clone(), late("2")]).is_some());
        assert!(linearize(&vec![writes, late("1")]).is_none());
    }

    #[test]
    fn half_of_an_mset_is_refused() {
        let write = vec![event(
            Op::MSet(vec![("a", "1".into()), ("b", "1".into())]),
            1,
            9,
            Answer::Status("OK".into()),
        )];
        let half = Answer::Array(vec![Answer::Bulk(Some("1".into())), Answer::Bulk(None)]);
        assert!(linearize(&vec![write, vec![event(Op::MGet(vec!["a", "b"]), 2, 3, half)]]).is_none());
    }

    #[test]
    fn a_later_command_of_a_client_does_not_overtake_an_earlier_one() {
        let ok = || Answer::Status("OK".into());
        let writer =
            vec![event(Op::Set("a", "1".into()), 1, 8, ok()), event(Op::Set("b", "1".into()), 1, 9, ok())];
        let reader = vec![
            event(Op::Get("b"), 2, 3, Answer::Bulk(Some("1".into()))),
            event(Op::Get("a"), 4, 5, Answer::Bulk(None)),
        ];
        assert!(linearize(&vec![writer, reader]).is_none());
    }
}
