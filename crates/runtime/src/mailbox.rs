//! Bounded queues between the cores and the control plane, off the hot path: a lock and a queue.
//!
//!     control task --push--> [ core's mailbox ] --bell--> on_wake: drain
//!     core --push--> [ task's mailbox ] --waker--> recv().await
//!
//! Any number of senders, one receiver. Either side may be a core, which never waits (`try_push`,
//! `try_pop`, `drain`, woken by its bell), or a task, which awaits (`push`, `recv`, woken by its waker).
//!
//! 1. A full mailbox refuses: the sender stops reading what feeds it. Nothing is dropped.
//! 2. Whoever waits registers under the lock that the other side takes, so no wake-up is lost.
//! 3. The receiver is woken only where the queue was empty, a refused sender only once there is room.

use crate::data::Bell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How the receiving side hears of messages.
#[derive(Debug, Clone)]
pub enum Notify {
    /// It is a core: ring its bell.
    Core(Bell),
    /// It is a task that awaits `recv`, or somebody who looks by himself.
    Task,
}

struct State<T> {
    queue: VecDeque<T>,
    capacity: usize,
    receiver: Option<Waker>,
    /// Tasks whose push found no room.
    senders: Vec<Waker>,
    /// Cores whose push found no room.
    refused: Vec<Bell>,
    sender_count: usize,
    receiver_gone: bool,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    notify: Notify,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing under this lock can panic half-way: a poisoned queue is a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_receiver(&self, mut state: MutexGuard<'_, State<T>>) {
        let waker = state.receiver.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        if let Notify::Core(bell) = &self.notify {
            bell.ring();
        }
    }
}

/// The sending side; cloned for each sender.
pub struct Sender<T>(Arc<Shared<T>>);

/// The receiving side.
pub struct Receiver<T>(Arc<Shared<T>>);

/// Why a push was refused. The message comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused<T> {
    /// The mailbox is full.
    Full(T),
    /// There is no receiver any more.
    Closed(T),
}

/// A mailbox for at most `capacity` messages.
pub fn mailbox<T>(capacity: usize, notify: Notify) -> (Sender<T>, Receiver<T>) {
    let state = State {
        queue: VecDeque::with_capacity(capacity.min(1024)),
        capacity: capacity.max(1),
        receiver: None,
        senders: Vec::new(),
        refused: Vec::new(),
        sender_count: 1,
        receiver_gone: false,
    };
    let shared = Arc::new(Shared { state: Mutex::new(state), notify });
    (Sender(shared.clone()), Receiver(shared))
}

impl<T> Sender<T> {
    /// Puts a message in, if there is room now.
    pub fn try_push(&self, message: T) -> Result<(), Refused<T>> {
        let state = self.0.lock();
        self.push_locked(state, message)
    }

    /// As `try_push`, for a core: where there is no room its bell rings when there is.
    pub fn push_from_core(&self, message: T, bell: &Bell) -> Result<(), Refused<T>> {
        let mut state = self.0.lock();
        if !state.receiver_gone && state.queue.len() >= state.capacity {
            state.refused.push(bell.clone());
            return Err(Refused::Full(message));
        }
        self.push_locked(state, message)
    }

    /// Puts a message in, waiting for room. Gives it back where there is no receiver any more.
    pub async fn push(&self, message: T) -> Result<(), T> {
        let mut message = Some(message);
        poll_fn(|cx| self.poll_push(cx, &mut message)).await
    }

    fn poll_push(&self, cx: &mut Context<'_>, message: &mut Option<T>) -> Poll<Result<(), T>> {
        let mut state = self.0.lock();
        if !state.receiver_gone && state.queue.len() >= state.capacity {
            state.senders.push(cx.waker().clone());
            return Poll::Pending;
        }
        let message = message.take().expect("polled again after it was ready");
        Poll::Ready(self.push_locked(state, message).map_err(|refused| match refused {
            Refused::Full(message) | Refused::Closed(message) => message,
        }))
    }

    fn push_locked(&self, mut state: MutexGuard<'_, State<T>>, message: T) -> Result<(), Refused<T>> {
        if state.receiver_gone {
            return Err(Refused::Closed(message));
        }
        if state.queue.len() >= state.capacity {
            return Err(Refused::Full(message));
        }
        state.queue.push_back(message);
        if state.queue.len() == 1 {
            self.0.wake_receiver(state);
        }
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.0.lock().sender_count += 1;
        Sender(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.sender_count -= 1;
        if state.sender_count == 0 {
            self.0.wake_receiver(state);
        }
    }
}

impl<T> Receiver<T> {
    /// Takes the oldest message, if there is one.
    pub fn try_pop(&mut self) -> Option<T> {
        let mut state = self.0.lock();
        let message = state.queue.pop_front()?;
        Self::tell_of_room(state);
        Some(message)
    }

    /// Moves everything that is there to the end of `into`; says how many.
    pub fn drain(&mut self, into: &mut Vec<T>) -> usize {
        let mut state = self.0.lock();
        let count = state.queue.len();
        if count > 0 {
            into.extend(state.queue.drain(..));
            Self::tell_of_room(state);
        }
        count
    }

    /// Waits for a message; none once all senders are gone and the mailbox is empty.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As `recv`, for those who poll.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.0.lock();
        if let Some(message) = state.queue.pop_front() {
            Self::tell_of_room(state);
            return Poll::Ready(Some(message));
        }
        if state.sender_count == 0 {
            return Poll::Ready(None);
        }
        state.receiver = Some(cx.waker().clone());
        Poll::Pending
    }

    /// All refused senders try again: room for one may be room for many.
    fn tell_of_room(mut state: MutexGuard<'_, State<T>>) {
        let (tasks, cores) = (std::mem::take(&mut state.senders), std::mem::take(&mut state.refused));
        drop(state);
        tasks.into_iter().for_each(Waker::wake);
        cores.iter().for_each(Bell::ring);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.receiver_gone = true;
        let queue = std::mem::take(&mut state.queue);
        Self::tell_of_room(state);
        // Outside the lock: a message may own a sender of this mailbox.
        drop(queue);
    }
}
