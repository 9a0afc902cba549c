use super::*;
use std::sync::mpsc;
use std::thread;

#[cfg(miri)]
const MANY: usize = 300;
#[cfg(not(miri))]
const MANY: usize = 2_000_000;

#[test]
fn keeps_order_and_reports_full() {
    let (mut tx, mut rx) = ring(4);
    for n in 0..4 {
        tx.push(n).unwrap();
    }
    assert_eq!(tx.push(4), Err(4));
    assert_eq!(rx.pop(), None, "nothing is seen before it is published");
    assert!(tx.publish());
    assert!(!tx.publish());
    assert_eq!(rx.pop(), Some(0));
    tx.push(4).unwrap();
    tx.publish();
    let mut seen = Vec::new();
    assert_eq!(rx.pop_batch(3, |n| seen.push(n)), 3);
    assert_eq!(rx.pop_batch(9, |n| seen.push(n)), 1);
    assert_eq!(seen, [1, 2, 3, 4]);
}

#[test]
fn a_batch_takes_what_fits() {
    let (mut tx, mut rx) = ring(4);
    let mut numbers = 0..6;
    assert_eq!(tx.push_batch(&mut numbers), 4);
    assert_eq!(numbers.next(), Some(4), "the one after the last that fitted is still there");
    tx.publish();
    assert!(rx.has_messages());
    assert_eq!(std::iter::from_fn(|| rx.pop()).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn drops_each_message_once() {
    let token = Arc::new(());
    let (mut tx, mut rx) = ring(8);
    for _ in 0..6 {
        tx.push(token.clone()).unwrap();
    }
    tx.publish();
    tx.push(token.clone()).unwrap();
    drop(rx.pop());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        rx.pop_batch(9, |_| panic!("in the middle of a batch"));
    }));
    assert!(panicked.is_err());
    assert_eq!(Arc::strong_count(&token), 6);
    drop(rx);
    drop(tx);
    assert_eq!(Arc::strong_count(&token), 1);
}

#[test]
fn two_threads_pass_boxes_in_order() {
    let (mut tx, mut rx) = ring(64);
    let sender = thread::spawn(move || {
        for n in 0..MANY {
            let mut message = Box::new(n);
            while let Err(back) = tx.push(message) {
                message = back;
                tx.publish();
                thread::yield_now();
            }
            if n % 7 == 0 {
                tx.publish();
            }
        }
    });
    let mut next = 0;
    while next < MANY {
        let before = next;
        rx.pop_batch(32, |n| {
            assert_eq!(*n, next);
            next += 1;
        });
        if next == before {
            thread::yield_now();
        }
    }
    sender.join().unwrap();
    assert_eq!(rx.pop(), None);
}

/// Two cores answer each other and sleep whenever nothing waits. A lost wake-up would hang the pair: the
/// sleep is a channel receive, woken only by what `flush_wakes` returns.
#[test]
fn no_wake_up_is_lost() {
    let rounds = MANY / 40;
    let mut mesh = Mesh::new(2, 8);
    let bells: Vec<_> = (0..2).map(|_| mpsc::channel::<()>()).collect();
    let senders: Vec<_> = bells.iter().map(|(tx, _)| tx.clone()).collect();
    let threads: Vec<_> = bells
        .into_iter()
        .enumerate()
        .map(|(core, (_, sleep))| {
            let mut ends = mesh.take(core);
            let senders = senders.clone();
            thread::spawn(move || {
                let (mut asked, mut answered, mut served) = (0, 0, 0);
                while answered < rounds || served < rounds {
                    let mut owed = 0;
                    ends.drain(usize::MAX, |_, lane, n: usize| match lane {
                        Lane::Request => {
                            assert_eq!(n, served);
                            (served, owed) = (served + 1, owed + 1);
                        }
                        Lane::Answer => answered += 1,
                    });
                    for _ in 0..owed {
                        ends.push_answer(1 - core, 0);
                    }
                    // Sometimes one at a time, so that both sleep often; sometimes until the ring is full.
                    let burst = if asked % 16 < 8 { 1 } else { 20 };
                    while asked < rounds
                        && asked - answered < burst
                        && ends.push_request(1 - core, asked).is_ok()
                    {
                        asked += 1;
                    }
                    for &peer in ends.flush_wakes() {
                        let _ = senders[peer].send(());
                    }
                    if (answered < rounds || served < rounds) && ends.prepare_sleep() {
                        sleep.recv().unwrap();
                        ends.awake();
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn answers_are_never_refused_and_keep_their_order() {
    let mut mesh = Mesh::new(3, 4);
    let (mut a, mut b) = (mesh.take(0), mesh.take(2));
    for n in 0..20 {
        a.push_answer(2, n);
    }
    let mut seen = Vec::new();
    for _ in 0..10 {
        a.flush_wakes();
        b.drain(1, |from, lane, n| {
            assert_eq!((from, lane), (0, Lane::Answer));
            seen.push(n);
        });
    }
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
}

#[test]
fn held_answers_keep_a_core_awake() {
    let mut mesh = Mesh::new(2, 2);
    let mut a = mesh.take(0);
    (0..3).for_each(|n| a.push_answer(1, n));
    a.flush_wakes();
    assert!(!a.prepare_sleep());
    mesh.take(1).drain(1, |_, _, _| ());
    a.flush_wakes();
    assert!(a.prepare_sleep());
}
