//! A simulated client: what it sends, what it got back, and the replies it can read.

use crate::history::Event;
use crate::model::Answer;
use std::collections::VecDeque;

/// A client and its connection.
#[derive(Debug, Default)]
pub struct Client {
    /// The core that owns its connection.
    pub core: usize,
    /// Pipelines that it has not sent.
    pub plan: VecDeque<Vec<crate::model::Op>>,
    /// What it sent, in order.
    pub events: Vec<Event>,
    /// How many of these were answered.
    pub answered: usize,
    /// Bytes of replies not yet whole.
    pub inbox: Vec<u8>,
    /// Bytes written and not yet read by the core.
    pub outbox: VecDeque<u8>,
    /// It hung up.
    pub gone: bool,
}

impl Client {
    /// Takes received bytes; each whole reply answers the next command.
    pub fn receive(&mut self, bytes: &[u8], now: u64) {
        self.inbox.extend_from_slice(bytes);
        let mut at = 0;
        while let Some((answer, used)) = read(&self.inbox[at..]) {
            at += used;
            let event = self.events.get_mut(self.answered).expect("a reply answers a command");
            event.answered = Some((now, answer));
            self.answered += 1;
        }
        self.inbox.drain(..at);
    }

    /// Whether everything sent was answered.
    pub fn is_satisfied(&self) -> bool {
        self.gone || (self.plan.is_empty() && self.answered == self.events.len())
    }
}

/// A command as RESP.
pub fn encode(words: &[String]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    bytes
}

/// Reads one RESP2 reply, if it is whole, and tells its length.
fn read(bytes: &[u8]) -> Option<(Answer, usize)> {
    let end = bytes.windows(2).position(|two| two == b"\r\n")?;
    let text = std::str::from_utf8(&bytes[1..end]).expect("the workload is ASCII").to_owned();
    let after = end + 2;
    let number = || text.parse::<i64>().expect("a number");
    Some(match bytes[0] {
        b'+' => (Answer::Status(text), after),
        b'-' => (Answer::Error(text), after),
        b':' => (Answer::Integer(number()), after),
        b'$' if number() < 0 => (Answer::Bulk(None), after),
        b'$' => {
            let len = number() as usize;
            let body = bytes.get(after..after + len + 2)?;
            (Answer::Bulk(Some(String::from_utf8_lossy(&body[..len]).into_owned())), after + len + 2)
        }
        b'*' if number() < 0 => (Answer::Bulk(None), after),
        b'*' => {
            let (mut items, mut at) = (Vec::new(), after);
            for _ in 0..number() {
                let (item, used) = read(&bytes[at..])?;
                items.push(item);
                at += used;
            }
            (Answer::Array(items), at)
        }
        other => panic!("a reply begins with {other:#x}"),
    })
}
