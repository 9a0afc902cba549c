//! Two data cores that talk by the mesh, sleep, wake each other, and hear mailboxes.

use runtime::clock::Now;
use runtime::data::*;
use runtime::mailbox::{mailbox, Notify, Receiver, Sender};
use runtime::spsc::{Endpoints, Lane, Mesh};
use std::sync::mpsc;
use std::time::Duration;

const MORE_THAN_A_RING: usize = 100;

/// Sends so many requests, a window at a time, and answers the peer's. Done, it reports and waits for stop.
struct Pinger {
    ends: Endpoints<usize>,
    control: Receiver<Order>,
    report: mpsc::Sender<(usize, usize)>,
    window: usize,
    to_send: usize,
    sent: usize,
    answered: usize,
    served: usize,
    told: bool,
    stop: bool,
    timers: Option<mpsc::Sender<u64>>,
}

enum Order {
    Send { count: usize, window: usize },
    Timer { at: u64, tell: mpsc::Sender<u64> },
    Stop,
}

impl Pinger {
    fn drain(&mut self) {
        let peer = 1 - self.ends.core();
        let mut owed = Vec::new();
        let (answered, served) = (&mut self.answered, &mut self.served);
        self.ends.drain(32, |from, lane, message| {
            assert_eq!(from, peer);
            match lane {
                Lane::Request => {
                    *served += 1;
                    owed.push(message);
                }
                Lane::Answer => {
                    assert_eq!(message, *answered, "answers come in order");
                    *answered += 1;
                }
            }
        });
        owed.into_iter().for_each(|message| self.ends.push_answer(peer, message));
    }
}

impl CoreApp for Pinger {
    fn on_accept(&mut self, _: &mut Io, _: ConnId, _: Peer) {}
    fn on_data(&mut self, _: &mut Io, _: ConnId, _: &[u8]) {}
    fn on_direct(&mut self, _: &mut Io, _: ConnId, _: Vec<u8>) {}
    fn on_sent(&mut self, _: &mut Io, _: ConnId, _: Result<Sent, i32>) {}
    fn on_closed(&mut self, _: &mut Io, _: ConnId, _: CloseReason) {}

    fn on_wake(&mut self, io: &mut Io) {
        while let Some(order) = self.control.try_pop() {
            match order {
                Order::Send { count, window } => {
                    (self.to_send, self.window, self.told) = (count, window, false)
                }
                Order::Timer { at, tell } => {
                    io.set_deadline(Some(at));
                    self.timers = Some(tell);
                }
                Order::Stop => self.stop = true,
            }
        }
    }

    fn on_timer(&mut self, _: &mut Io, now: Now) {
        if let Some(tell) = self.timers.take() {
            tell.send(now.mono_us).unwrap();
        }
    }

    fn end_of_turn(&mut self, io: &mut Io) -> Turn {
        self.drain();
        let peer = 1 - self.ends.core();
        while self.to_send > 0 && self.sent - self.answered < self.window {
            if self.ends.push_request(peer, self.sent).is_err() {
                break;
            }
            (self.sent, self.to_send) = (self.sent + 1, self.to_send - 1);
        }
        for &peer in self.ends.flush_wakes() {
            io.peer_wake(peer);
        }
        if self.to_send == 0 && self.sent == self.answered && self.sent > 0 && !self.told {
            self.told = true;
            self.report.send((self.ends.core(), self.served)).unwrap();
        }
        match self.stop {
            true => Turn::Stop,
            false => Turn::Idle { deadline: None },
        }
    }

    fn may_sleep(&mut self) -> bool {
        self.ends.prepare_sleep()
    }

    fn woke(&mut self) {
        self.ends.awake();
    }
}

#[test]
fn cores_sleep_and_wake_each_other_without_losing_a_message() {
    let mut mesh = Mesh::new(2, 64);
    let (report, reports) = mpsc::channel();
    let mut orders: Vec<Sender<Order>> = Vec::new();
    let mut cores = Vec::new();
    for core in 0..2 {
        let config = LoopConfig::new(core).unwrap();
        let (order, control) = mailbox(8, Notify::Core(config.bell()));
        orders.push(order);
        let (ends, report) = (mesh.take(core), report.clone());
        let app = move || Pinger {
            ends,
            control,
            report,
            window: 0,
            to_send: 0,
            sent: 0,
            answered: 0,
            served: 0,
            told: false,
            stop: false,
            timers: None,
        };
        cores.push(CoreSpec { config, app });
    }
    let plane = DataPlane::start(cores).unwrap();
    let in_time = Duration::from_secs(30);

    // One at a time: both sleep between any two messages.
    orders[0].try_push(Order::Send { count: 20_000, window: 1 }).ok().unwrap();
    assert_eq!(reports.recv_timeout(in_time).unwrap().0, 0);
    // Both at once, more than the rings hold.
    for order in &orders {
        order.try_push(Order::Send { count: 200_000, window: MORE_THAN_A_RING }).ok().unwrap();
    }
    let mut done: Vec<_> = (0..2).map(|_| reports.recv_timeout(in_time).unwrap().0).collect();
    done.sort();
    assert_eq!(done, [0, 1]);

    // A deadline wakes a core that has nothing else to do, and never early.
    let (tell, told) = mpsc::channel();
    let at = runtime::clock::mono_us() + 3_000;
    orders[1].try_push(Order::Timer { at, tell }).ok().unwrap();
    assert!(told.recv_timeout(in_time).unwrap() >= at);

    for order in &orders {
        order.try_push(Order::Stop).ok().unwrap();
    }
    assert!(plane.wait_any().is_some());
    assert!(plane.join().into_iter().all(|result| result.is_ok()));
}

/// What ends by itself, or in a panic, is told.
struct Fails;

impl CoreApp for Fails {
    fn on_accept(&mut self, _: &mut Io, _: ConnId, _: Peer) {}
    fn on_data(&mut self, _: &mut Io, _: ConnId, _: &[u8]) {}
    fn on_direct(&mut self, _: &mut Io, _: ConnId, _: Vec<u8>) {}
    fn on_sent(&mut self, _: &mut Io, _: ConnId, _: Result<Sent, i32>) {}
    fn on_closed(&mut self, _: &mut Io, _: ConnId, _: CloseReason) {}
    fn on_wake(&mut self, _: &mut Io) {}
    fn on_timer(&mut self, _: &mut Io, _: Now) {}
    fn end_of_turn(&mut self, _: &mut Io) -> Turn {
        panic!("the application failed")
    }
}

#[test]
fn a_core_that_panics_is_reported() {
    let config = LoopConfig::new(0).unwrap();
    let plane = DataPlane::start(vec![CoreSpec { config, app: || Fails }]).unwrap();
    assert_eq!(plane.wait_any(), Some(0));
    let message = plane.join().remove(0).unwrap_err().to_string();
    assert_eq!(message, "core 0 panicked: the application failed");
}

#[test]
fn a_plane_that_cannot_start_all_cores_starts_none() {
    let cores = (0..2)
        .map(|core| {
            let mut config = LoopConfig::new(core).unwrap();
            // There is no such processor.
            config.cpu = (core == 1).then_some(1023);
            CoreSpec { config, app: || Fails }
        })
        .collect();
    let error = DataPlane::start(cores).err().unwrap();
    assert!(matches!(error, StartError::Thread { core: 1, .. }), "{error}");
}
