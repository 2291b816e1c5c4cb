//! How messages and waiting threads meet: one lock, one buffer, and a queue at either end.
//!
//! A thread that can't go on at once waits in a queue. Its node, on its own stack, has room for a
//! message. The other side does the exchange: a sender puts its message into the first waiting
//! receiver's node, and a receiver moves the first waiting sender's message into the buffer. So a
//! woken thread needs no lock, and nobody overtakes it. A rendezvous is a buffer without slots.
//!
//! A sending arm of a select makes its message only once it is selected: then room in the buffer,
//! or a receiver that waits, is kept for it (`slot`).
//!
//! Invariants:
//! 1. Receivers wait only while the buffer is empty and no sender waits; senders wait only while
//!    the buffer is full, with what is kept. (Only a select that does both on one channel waits at
//!    both ends.) After a side is closed nobody waits on the other.
//! 2. The slots in the queues obey the invariants of `slot`, and the nodes those of `wait_queue`.
//! 3. The exchange is done *before* the claim, since a claimed thread may be gone at once, and
//!    undone if the claim is lost. So a wait that ends otherwise never takes a message with it.
//! 4. A change that may make an operation ready (a message, room, a waiting thread, an end) claims
//!    the threads that watch.
//! 5. No message is dropped, and nothing is allocated or freed, under the lock: a `drop` may use
//!    this very channel.

use core::{cell::UnsafeCell, mem::MaybeUninit};
use std::time::{Duration, Instant};

use super::{
    atomic::{
        AtomicUsize,
        Ordering::{AcqRel, Relaxed},
    },
    buffer::{Block, Buffer, Popped, Pushed},
    slot::{Exchange, SendTicket, Slot},
    spin::{SpinGuard, SpinLock},
    wait_queue::{Node, Queue},
};
use crate::task::{
    coop::{CALL, consume_budget},
    time::deadline_after,
    wait::{Claim, Outcome, Reason, Waiter, Wake},
};

/// How long an operation may block.
#[derive(Clone, Copy, Debug)]
pub enum Timeout {
    /// Not at all.
    Try,
    /// Until then, or with `None` for ever.
    Wait(Option<Instant>),
}

impl Timeout {
    /// For so long; for ever, if that ends beyond what a clock can show.
    pub fn within(timeout: Duration) -> Self {
        Timeout::Wait(deadline_after(timeout))
    }

    /// Until then.
    pub(crate) fn until(deadline: impl Into<Instant>) -> Self {
        Timeout::Wait(Some(deadline.into()))
    }
}

/// Why a message was not sent.
#[derive(Debug)]
pub(crate) enum SendFailed<T> {
    /// It would have to wait, or has waited for as long as it may.
    Full(T),
    /// There are no receivers any more.
    Closed(T),
}

impl<T> SendFailed<T> {
    pub(crate) fn into_message(self) -> T {
        let (Self::Full(message) | Self::Closed(message)) = self;
        message
    }
}

/// Why no message was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecvFailed {
    /// It would have to wait, or has waited for as long as it may.
    Empty,
    /// There is no message, and there are no senders any more.
    Closed,
}

/// A channel. Its lock and its queues are one cache line, if it begins one (`cache_line_arc`).
#[repr(C)]
pub(crate) struct Core<T> {
    pub(super) state: SpinLock<State<T>>,
    senders: AtomicUsize,
    receivers: AtomicUsize,
    capacity: Option<usize>,
}

#[repr(C)]
pub(super) struct State<T> {
    /// Who waits for a message.
    pub(super) receivers: Queue<Slot>,
    /// Who waits for room.
    pub(super) senders: Queue<Slot>,
    /// Who waits for an operation to become ready, and does it later.
    pub(super) watchers: Queue<Slot>,
    /// There are no senders any more.
    pub(super) no_senders: bool,
    /// There are no receivers any more.
    pub(super) no_receivers: bool,
    pub(super) buffer: Buffer<T>,
}

/// With what a thread waits. A message of a word lies in one cache line with all that whoever
/// brings or takes it touches.
#[repr(C, align(64))]
struct Waiting<T> {
    message: UnsafeCell<MaybeUninit<T>>,
    waiter: Waiter,
    node: MaybeUninit<Node<Slot>>,
}

impl<T> Waiting<T> {
    fn new(message: MaybeUninit<T>) -> Self {
        Self { message: UnsafeCell::new(message), waiter: Waiter::new(), node: MaybeUninit::uninit() }
    }

    /// To be called once, when it is where it stays.
    fn begin(&mut self) -> (&Waiter, &Node<Slot>) {
        let slot = Slot::new(self.message.get().cast());
        (&self.waiter, self.node.write(Node::new(&self.waiter, slot)))
    }
}

/// Why no message was received at once.
pub(super) enum NotNow<'a, T> {
    Closed,
    Empty(SpinGuard<'a, State<T>>),
    /// What was there has gone again.
    Again,
}

/// What a sender's place in the queue came to.
enum Taken<T> {
    Message(T, Option<Wake>),
    /// Its message is to be made; it is in the queue still.
    ToBeMade,
    Nobody,
}

impl<T> Core<T> {
    /// A channel for `capacity` messages, without a limit if that is `None`; with one sender and
    /// one receiver.
    pub(crate) fn new(capacity: Option<usize>) -> Self {
        let state = State {
            buffer: capacity.map_or(Buffer::unbounded(), Buffer::bounded),
            receivers: Queue::new(),
            senders: Queue::new(),
            watchers: Queue::new(),
            no_senders: false,
            no_receivers: false,
        };
        Self {
            state: SpinLock::new(state),
            senders: AtomicUsize::new(1),
            receivers: AtomicUsize::new(1),
            capacity,
        }
    }

    /// Counts another sender.
    pub(crate) fn add_sender(&self) {
        count(&self.senders);
    }

    /// Counts another receiver.
    pub(crate) fn add_receiver(&self) {
        count(&self.receivers);
    }

    /// One sender less. With the last one the channel is closed: receivers get what is in it, and
    /// then nothing more.
    pub(crate) fn drop_sender(&self) {
        if self.senders.fetch_sub(1, AcqRel) == 1 {
            let mut state = self.state.lock();
            state.no_senders = true;
            let wakes = state.receivers.claim_all();
            let watchers = state.watchers.claim_all();
            drop(state);
            drop((wakes, watchers));
        }
    }

    /// One receiver less. With the last one the channel is closed: what is in it is dropped, and
    /// senders get their messages back.
    pub(crate) fn drop_receiver(&self) {
        if self.receivers.fetch_sub(1, AcqRel) == 1 {
            let mut state = self.state.lock();
            state.no_receivers = true;
            // Nothing will be pushed any more.
            let buffer = core::mem::replace(&mut state.buffer, Buffer::unbounded());
            let wakes = state.senders.claim_all();
            let watchers = state.watchers.claim_all();
            drop(state);
            drop((wakes, watchers));
            drop(buffer);
        }
    }

    /// How many messages are in the buffer.
    pub(crate) fn len(&self) -> usize {
        let len = self.state.lock().buffer.len();
        // Only others change it.
        consume_budget(CALL);
        len
    }

    /// Whether there are as many as may be; a channel for none is always full.
    pub(crate) fn is_full(&self) -> bool {
        self.capacity.is_some_and(|capacity| self.len() >= capacity)
    }

    /// How many there may be.
    pub(crate) fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    /// Sends a message, waiting for room if need be.
    #[inline]
    pub(crate) fn send(&self, message: T, timeout: Timeout) -> Result<(), SendFailed<T>> {
        self.send_locked(self.state.lock(), message, timeout)
    }

    #[inline]
    pub(super) fn send_locked<'a>(
        &'a self,
        mut state: SpinGuard<'a, State<T>>,
        mut message: T,
        timeout: Timeout,
    ) -> Result<(), SendFailed<T>> {
        loop {
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
                Pushed::Done => {
                    if !state.watchers.is_empty() {
                        announce(state);
                    }
                    return Ok(());
                }
                Pushed::Lap(messages) => {
                    announce(state);
                    consume_budget(messages);
                    return Ok(());
                }
                Pushed::Full(back) => {
                    let Timeout::Wait(deadline) = timeout else {
                        drop(state);
                        consume_budget(CALL);
                        return Err(SendFailed::Full(back));
                    };
                    return self.wait_for_room(state, back, deadline);
                }
                Pushed::NoBlock(back) => message = back,
            }
            drop(state);
            self.supply();
            state = self.state.lock();
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
        mut state: SpinGuard<'_, State<T>>,
        message: T,
        deadline: Option<Instant>,
    ) -> Result<(), SendFailed<T>> {
        let mut waiting = Waiting::new(MaybeUninit::new(message));
        let (waiter, node) = waiting.begin();
        // SAFETY: if the wait was not claimed the node is taken out below, and otherwise it is out
        // (invariant 2). It is claimed under this lock, once; to unlock and to wake others switches
        // nothing.
        let parked = unsafe {
            state.senders.push(node);
            waiter.park_early(deadline)
        };
        announce(state);
        let outcome = waiter.wait_from(parked, Reason::Send, deadline);
        match outcome {
            Outcome::Woken => {}
            // SAFETY: our own, put into this queue.
            Outcome::TimedOut | Outcome::Cancelled => unsafe { self.state.lock().senders.remove(node) },
        }
        if node.payload.exchange.get() == Exchange::Done {
            return Ok(());
        }
        // SAFETY: the node is ours again, and nobody has taken the message (invariant 2).
        let message = unsafe { node.payload.read() };
        Err(match outcome {
            Outcome::Woken => SendFailed::Closed(message),
            Outcome::TimedOut | Outcome::Cancelled => SendFailed::Full(message),
        })
    }

    /// Receives the oldest message, waiting for one if need be.
    #[inline]
    pub(crate) fn recv(&self, timeout: Timeout) -> Result<T, RecvFailed> {
        let mut state = self.state.lock();
        if let Some((message, rest)) = state.buffer.pop() {
            popped(state, rest);
            return Ok(message);
        }
        if state.senders.is_empty() {
            if state.no_senders {
                return Err(RecvFailed::Closed);
            }
            let Timeout::Wait(deadline) = timeout else { return Err(not_yet(state)) };
            if let Some(result) = self.wait_for_message(state, deadline) {
                return result;
            }
        } else {
            drop(state);
        }
        self.recv_slowly(timeout)
    }

    fn recv_slowly(&self, timeout: Timeout) -> Result<T, RecvFailed> {
        loop {
            match self.recv_now(self.state.lock()) {
                Ok(message) => return Ok(message),
                Err(NotNow::Closed) => return Err(RecvFailed::Closed),
                Err(NotNow::Again) => {}
                Err(NotNow::Empty(state)) => match timeout {
                    Timeout::Try => return Err(not_yet(state)),
                    Timeout::Wait(deadline) => {
                        if let Some(result) = self.wait_for_message(state, deadline) {
                            return result;
                        }
                    }
                },
            }
        }
    }

    /// Receives the oldest message, if there is one.
    #[inline]
    pub(super) fn recv_now<'a>(&'a self, mut state: SpinGuard<'a, State<T>>) -> Result<T, NotNow<'a, T>> {
        if let Some((message, rest)) = state.buffer.pop() {
            popped(state, rest);
            return Ok(message);
        }
        match state.take_over() {
            Taken::Message(message, wake) => {
                drop(state);
                drop(wake);
                Ok(message)
            }
            Taken::ToBeMade => self.ask(state).ok_or(NotNow::Again),
            Taken::Nobody if state.no_senders => Err(NotNow::Closed),
            Taken::Nobody => Err(NotNow::Empty(state)),
        }
    }

    /// Has the first waiting sender make its message, and waits for that. `None` if nothing came of
    /// it.
    #[cold]
    fn ask(&self, mut state: SpinGuard<'_, State<T>>) -> Option<T> {
        let message = UnsafeCell::new(MaybeUninit::<T>::uninit());
        let slot = Slot::new(message.get().cast());
        let node = state.senders.pop()?;
        // SAFETY: just taken out under the lock: alive until the claim, and ours (invariant 2).
        let sender = unsafe { &(*node).payload };
        // SAFETY: our own.
        unsafe { slot.begin_handshake() };
        sender.partner.set(&slot);
        sender.exchange.set(Exchange::Handshake);
        // SAFETY: taken out, and the lock is held.
        match unsafe { Node::claim(node) } {
            Claim::Lost => {
                sender.exchange.set(Exchange::None);
                None
            }
            Claim::Won(wake) => {
                drop(state);
                drop(wake);
                // SAFETY: a handshake has begun; if the sender has sent, the message is there.
                unsafe { slot.await_handshake().then(|| slot.read()) }
            }
        }
    }

    /// `None` if a handshake ended without a message: then it starts again.
    // A call of its own costs a ping-pong 5 %.
    #[inline(always)]
    fn wait_for_message(
        &self,
        mut state: SpinGuard<'_, State<T>>,
        deadline: Option<Instant>,
    ) -> Option<Result<T, RecvFailed>> {
        let mut waiting = Waiting::<T>::new(MaybeUninit::uninit());
        let (waiter, node) = waiting.begin();
        // SAFETY: if the wait was not claimed the node is taken out below, and otherwise it is out
        // (invariant 2). It is claimed under this lock, once; to unlock and to wake others switches
        // nothing.
        let parked = unsafe {
            state.receivers.push(node);
            waiter.park_early(deadline)
        };
        if state.watchers.is_empty() {
            drop(state);
        } else {
            announce(state);
        }
        let outcome = waiter.wait_from(parked, Reason::Receive, deadline);
        let failed = match outcome {
            Outcome::Woken => RecvFailed::Closed,
            Outcome::TimedOut | Outcome::Cancelled => {
                // SAFETY: our own, put into this queue.
                unsafe { self.state.lock().receivers.remove(node) };
                RecvFailed::Empty
            }
        };
        Some(match node.payload.exchange.get() {
            // SAFETY: the node is ours again, and the message is there (invariant 2).
            Exchange::Done => Ok(unsafe { node.payload.read() }),
            Exchange::None => Err(failed),
            // SAFETY: a handshake has begun; if the sender has sent, the message is there.
            _ => return unsafe { node.payload.await_handshake().then(|| Ok(node.payload.read())) },
        })
    }
}

fn count(handles: &AtomicUsize) {
    if handles.fetch_add(1, Relaxed) > usize::MAX / 2 {
        // Only leaked handles get us here, and the count must not wrap.
        std::process::abort();
    }
}

/// After a message was taken from the buffer: lets a sender that waits go on, and gives the lock
/// back.
#[inline]
fn popped<T>(state: SpinGuard<'_, State<T>>, rest: Popped<T>) {
    if state.senders.is_empty() && state.watchers.is_empty() {
        drop(state);
    } else {
        pass_on(state);
    }
    if let Popped::Lap(messages, free) = rest {
        lap(messages, free);
    }
}

/// The same, if somebody waits or watches: a call of its own, with the registers that only it
/// needs.
#[inline(never)]
fn pass_on<T>(mut state: SpinGuard<'_, State<T>>) {
    let wake = if state.senders.is_empty() { None } else { state.refill() };
    if state.watchers.is_empty() {
        drop(state);
    } else {
        announce(state);
    }
    drop(wake);
}

#[cold]
fn lap<T>(messages: u32, free: Option<Box<Block<T>>>) {
    drop(free);
    consume_budget(messages);
}

/// Gives the lock back, for one who doesn't wait and is going to come again.
#[cold]
fn not_yet<T>(state: SpinGuard<'_, State<T>>) -> RecvFailed {
    drop(state);
    consume_budget(CALL);
    RecvFailed::Empty
}

/// Gives the lock back, and makes those who watch look (invariant 4).
#[cold]
pub(super) fn announce<T>(mut state: SpinGuard<'_, State<T>>) {
    let watchers = state.watchers.claim_all();
    drop(state);
    drop(watchers);
}

impl<T> State<T> {
    /// Gives a message to the first waiting receiver; the wake-up, if one is owed. Without a
    /// receiver the message comes back.
    #[inline]
    fn hand_out(&mut self, mut message: T) -> Result<Option<Wake>, T> {
        while let Some(node) = self.receivers.pop() {
            // SAFETY: just taken out under the lock: alive until the claim (invariant 2).
            let slot = unsafe { &(*node).payload };
            // SAFETY: a receiver's, and ours until the claim (invariant 2).
            unsafe { slot.write(message) };
            slot.exchange.set(Exchange::Done);
            // SAFETY: taken out, and the lock is held.
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                return Ok(wake);
            }
            // SAFETY: the claim is lost, so its owner waits for the lock; we take back what we gave
            // (invariant 3).
            unsafe {
                slot.exchange.set(Exchange::None);
                message = slot.read();
            }
        }
        Err(message)
    }

    /// Begins a handshake with the first waiting receiver.
    pub(super) fn begin_handshake(&mut self) -> Option<SendTicket> {
        while let Some(node) = self.receivers.pop() {
            // SAFETY: just taken out under the lock: alive until the claim (invariant 2).
            let slot = unsafe { &(*node).payload };
            // SAFETY: a receiver's, and ours until the claim (invariant 2).
            unsafe { slot.begin_handshake() };
            // SAFETY: taken out, and the lock is held.
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                // SAFETY: the handshake is with us.
                return Some(unsafe { SendTicket::new(slot, wake) });
            }
            slot.exchange.set(Exchange::None);
        }
        None
    }

    /// When there is room in the buffer: moves the first waiting sender's message in, or keeps the
    /// room for it.
    #[cold]
    pub(super) fn refill(&mut self) -> Option<Wake> {
        loop {
            match self.take_over() {
                Taken::Nobody => return None,
                Taken::Message(message, wake) => match self.buffer.push(message) {
                    Pushed::Done | Pushed::Lap(_) => return wake,
                    _ => unreachable!("a message has just been taken out of it"),
                },
                Taken::ToBeMade => {
                    let Some(node) = self.senders.pop() else { unreachable!("it has just been there") };
                    // SAFETY: just taken out under the lock: alive until the claim (invariant 2).
                    let slot = unsafe { &(*node).payload };
                    slot.exchange.set(Exchange::Room);
                    // SAFETY: taken out, and the lock is held.
                    if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                        self.buffer.keep();
                        return wake;
                    }
                    slot.exchange.set(Exchange::None);
                }
            }
        }
    }

    /// The first waiting sender's message, and the sender's wake-up, if one is owed.
    #[inline]
    fn take_over(&mut self) -> Taken<T> {
        while let Some(slot) = self.senders.front() {
            if slot.is_to_be_made() {
                return Taken::ToBeMade;
            }
            let Some(node) = self.senders.pop() else { unreachable!("it has just been there") };
            // SAFETY: just taken out under the lock: alive until the claim (invariant 2).
            let slot = unsafe { &(*node).payload };
            // SAFETY: ours until the claim (invariant 2). This is a copy, which counts if the claim
            // is won only.
            let message = unsafe { slot.read::<MaybeUninit<T>>() };
            slot.exchange.set(Exchange::Done);
            // SAFETY: taken out, and the lock is held.
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                // SAFETY: a sender's place is filled, and by `Done` its owner leaves the message to
                // us.
                return Taken::Message(unsafe { message.assume_init() }, wake);
            }
            // The claim is lost: the message stays with its owner (invariant 3).
            slot.exchange.set(Exchange::None);
        }
        Taken::Nobody
    }
}
