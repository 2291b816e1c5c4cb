//! How messages and waiting threads meet: one lock, one buffer, and a queue of threads at either end.
//!
//! A thread that can't go on at once lies in a queue with a place for the message in its node, on its own
//! stack. The other side does the whole exchange for it: a sender puts its message straight into the first
//! waiting receiver's node, and a receiver that makes room moves the first waiting sender's message into the
//! buffer. So a thread that is woken is done, without taking the lock again, nobody can overtake those who
//! wait, and a rendezvous is nothing but a ring without slots.
//!
//! Invariants:
//! 1. Receivers wait only while the buffer is empty and no sender waits; senders wait only while the buffer
//!    is full. After a side is closed nobody waits on the other.
//! 2. `message` in a node, as long as the node is in a queue, belongs to whoever holds the lock; later to the
//!    node's owner. In a sender's node it is filled as long as `done` isn't set, in a receiver's node once it
//!    is.
//! 3. The exchange is done *before* the claim, since a claimed thread may be gone at once, and undone if the
//!    claim is lost: so a wait that ends by a deadline never takes a message with it.
//! 4. The nodes obey the invariants of `queue`.
//! 5. No message is dropped, and nothing allocated or freed, while the lock is held: a message's `drop` may
//!    use this very channel.

use core::{
    cell::{Cell, UnsafeCell},
    mem::MaybeUninit,
};
use std::time::Instant;

use super::{
    atomic::{
        AtomicUsize,
        Ordering::{AcqRel, Relaxed},
    },
    buffer::{Block, Buffer, Pushed},
    queue::{Node, Queue},
    short::{ShortGuard, ShortLock},
};
use crate::task::wait::{Claim, Outcome, Reason, Waiter, Wake};

/// How long an operation may block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// Not at all.
    Try,
    /// Until then, or with `None` for ever.
    Wait(Option<Instant>),
}

/// Why a message was not sent.
#[derive(Debug)]
pub(crate) enum SendFailed<T> {
    /// It would have to wait, or has waited for as long as it may.
    Full(T),
    /// There are no receivers any more.
    Closed(T),
}

/// Why no message was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecvFailed {
    /// It would have to wait, or has waited for as long as it may.
    Empty,
    /// There is no message, and there are no senders any more.
    Closed,
}

/// What a thread waits with.
struct Slot<T> {
    message: UnsafeCell<MaybeUninit<T>>,
    /// The exchange has been made. A thread that is claimed without was woken because the other side is
    /// closed.
    done: Cell<bool>,
}

/// A channel.
pub(crate) struct Core<T> {
    state: ShortLock<State<T>>,
    senders: AtomicUsize,
    receivers: AtomicUsize,
}

struct State<T> {
    buffer: Buffer<T>,
    /// Who waits for a message.
    receivers: Queue<Slot<T>>,
    /// Who waits for room.
    senders: Queue<Slot<T>>,
    /// There are no senders any more.
    no_senders: bool,
    /// There are no receivers any more.
    no_receivers: bool,
}

impl<T> Core<T> {
    /// A channel for `capacity` messages, without a limit if that is `None`; with one sender and one
    /// receiver.
    pub(crate) fn new(capacity: Option<usize>) -> Self {
        let state = State {
            buffer: capacity.map_or(Buffer::unbounded(), Buffer::bounded),
            receivers: Queue::new(),
            senders: Queue::new(),
            no_senders: false,
            no_receivers: false,
        };
        Self { state: ShortLock::new(state), senders: AtomicUsize::new(1), receivers: AtomicUsize::new(1) }
    }

    /// Counts another sender.
    pub(crate) fn add_sender(&self) {
        if self.senders.fetch_add(1, Relaxed) > usize::MAX / 2 {
            // Only leaked handles get us here, and the count must not wrap.
            std::process::abort();
        }
    }

    /// One sender less. With the last one the channel is closed: receivers get what is in it, and then
    /// nothing more.
    pub(crate) fn drop_sender(&self) {
        if self.senders.fetch_sub(1, AcqRel) == 1 {
            let mut state = self.state.lock();
            state.no_senders = true;
            let wakes = state.receivers.claim_all();
            drop(state);
            drop(wakes);
        }
    }

    /// One receiver less. With the last one the channel is closed: what is in it is dropped, and senders get
    /// their messages back.
    pub(crate) fn drop_receiver(&self) {
        if self.receivers.fetch_sub(1, AcqRel) == 1 {
            let mut state = self.state.lock();
            state.no_receivers = true;
            // Nothing will be pushed any more.
            let buffer = core::mem::replace(&mut state.buffer, Buffer::unbounded());
            let wakes = state.senders.claim_all();
            drop(state);
            drop(wakes);
            drop(buffer);
        }
    }

    /// Sends a message, waiting for room if need be.
    #[inline]
    pub(crate) fn send(&self, mut message: T, patience: Patience) -> Result<(), SendFailed<T>> {
        loop {
            let mut state = self.state.lock();
            if state.no_receivers {
                return Err(SendFailed::Closed(message));
            }
            if !state.receivers.is_empty() {
                match state.hand_out(message) {
                    Ok(wake) => {
                        drop(state);
                        drop(wake);
                        return Ok(());
                    }
                    Err(back) => message = back,
                }
            }
            match state.buffer.push(message) {
                Pushed::Done => return Ok(()),
                Pushed::Full(back) => {
                    return match patience {
                        Patience::Try => Err(SendFailed::Full(back)),
                        Patience::Wait(deadline) => self.wait_for_room(state, back, deadline),
                    };
                }
                Pushed::NoBlock(back) => message = back,
            }
            drop(state);
            self.supply();
        }
    }

    #[cold]
    fn supply(&self) {
        let block = Block::new();
        let surplus = self.state.lock().buffer.supply(block);
        drop(surplus);
    }

    #[cold]
    fn wait_for_room(
        &self,
        mut state: ShortGuard<'_, State<T>>,
        message: T,
        deadline: Option<Instant>,
    ) -> Result<(), SendFailed<T>> {
        let waiter = Waiter::new();
        let node = Node::new(&waiter, Slot::filled(message));
        // SAFETY: if the wait was not claimed the node is taken out below, and otherwise it is out (invariant
        // 4).
        unsafe { state.senders.push(&node) };
        drop(state);
        let outcome = waiter.wait(Reason::Send, deadline);
        if outcome != Outcome::Woken {
            // SAFETY: our own, put into this queue.
            unsafe { self.state.lock().senders.remove(&node) };
        }
        if node.payload.done.get() {
            return Ok(());
        }
        // SAFETY: the node is ours again, and nobody has taken the message (invariant 2).
        let message = unsafe { node.payload.take() };
        Err(match outcome {
            Outcome::Woken => SendFailed::Closed(message),
            Outcome::TimedOut => SendFailed::Full(message),
        })
    }

    /// Receives the oldest message, waiting for one if need be.
    #[inline]
    pub(crate) fn recv(&self, patience: Patience) -> Result<T, RecvFailed> {
        let mut state = self.state.lock();
        if let Some((message, free)) = state.buffer.pop() {
            let wake = if state.senders.is_empty() { None } else { state.refill() };
            drop(state);
            drop(wake);
            drop(free);
            return Ok(message);
        }
        if let Some((message, wake)) = state.take_over() {
            drop(state);
            drop(wake);
            return Ok(message);
        }
        if state.no_senders {
            return Err(RecvFailed::Closed);
        }
        match patience {
            Patience::Try => Err(RecvFailed::Empty),
            Patience::Wait(deadline) => self.wait_for_message(state, deadline),
        }
    }

    #[inline]
    fn wait_for_message(
        &self,
        mut state: ShortGuard<'_, State<T>>,
        deadline: Option<Instant>,
    ) -> Result<T, RecvFailed> {
        let waiter = Waiter::new();
        let node = Node::new(&waiter, Slot::empty());
        // SAFETY: if the wait was not claimed the node is taken out below, and otherwise it is out (invariant
        // 4).
        unsafe { state.receivers.push(&node) };
        drop(state);
        let outcome = waiter.wait(Reason::Receive, deadline);
        if outcome != Outcome::Woken {
            // SAFETY: our own, put into this queue.
            unsafe { self.state.lock().receivers.remove(&node) };
        }
        if node.payload.done.get() {
            // SAFETY: the node is ours again, and the message is there (invariant 2).
            return Ok(unsafe { node.payload.take() });
        }
        Err(match outcome {
            Outcome::Woken => RecvFailed::Closed,
            Outcome::TimedOut => RecvFailed::Empty,
        })
    }
}

impl<T> State<T> {
    /// Gives a message to the first waiting receiver; the wake-up, if one is owed. Without a receiver the
    /// message comes back.
    #[inline]
    fn hand_out(&mut self, mut message: T) -> Result<Option<Wake>, T> {
        while let Some(node) = self.receivers.pop() {
            // SAFETY: just taken out under the lock: alive until the claim (invariant 4).
            let slot = unsafe { &(*node).payload };
            // SAFETY: ours until the claim (invariant 2).
            unsafe { (*slot.message.get()).write(message) };
            slot.done.set(true);
            // SAFETY: taken out, and the lock is held.
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                return Ok(wake);
            }
            // SAFETY: the claim is lost, so its owner waits for the lock; we take back what we gave
            // (invariant 3).
            unsafe {
                slot.done.set(false);
                message = slot.take();
            }
        }
        Err(message)
    }

    /// After a message was taken from the buffer: moves the first waiting sender's in.
    #[cold]
    fn refill(&mut self) -> Option<Wake> {
        let (message, wake) = self.take_over()?;
        match self.buffer.push(message) {
            Pushed::Done => wake,
            _ => unreachable!("a message has just been taken out of it"),
        }
    }

    /// The first waiting sender's message, and the sender's wake-up, if one is owed.
    #[inline]
    fn take_over(&mut self) -> Option<(T, Option<Wake>)> {
        while let Some(node) = self.senders.pop() {
            // SAFETY: just taken out under the lock: alive until the claim (invariant 4).
            let slot = unsafe { &(*node).payload };
            // SAFETY: ours until the claim (invariant 2). This is a copy, which counts if the claim is won
            // only.
            let message = unsafe { slot.message.get().read() };
            slot.done.set(true);
            // SAFETY: taken out, and the lock is held.
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                // SAFETY: a sender's node is filled, and by `done` its owner leaves the message to us.
                return Some((unsafe { message.assume_init() }, wake));
            }
            // The claim is lost: the message stays with its owner (invariant 3).
            slot.done.set(false);
        }
        None
    }
}

impl<T> Slot<T> {
    fn empty() -> Self {
        Self { message: UnsafeCell::new(MaybeUninit::uninit()), done: Cell::new(false) }
    }

    fn filled(message: T) -> Self {
        Self { message: UnsafeCell::new(MaybeUninit::new(message)), done: Cell::new(false) }
    }

    /// # Safety
    /// The message is there, the caller's to take, and taken once.
    unsafe fn take(&self) -> T {
        // SAFETY: as the caller says.
        unsafe { (*self.message.get()).assume_init_read() }
    }
}
