//! Sending, receiving and waiting: one lock, one buffer, and a queue of threads on each side.
//!
//! A thread that cannot proceed at once waits in a queue. Its node, on its own stack, has room for
//! a message. The thread on the other side does the whole exchange: a sender writes its message
//! into the node of the first waiting receiver, and a receiver moves the message of the first
//! waiting sender into the buffer (which has no slots in a rendezvous channel). So a woken thread
//! needs no lock, and no thread overtakes it.
//!
//! A `send` arm of a select makes its message after it has been selected. Until then a slot of the
//! buffer, or a waiting receiver, is reserved for it (`slot`).
//!
//! Invariants:
//! 1. Receivers wait only while the buffer is empty and no sender waits. Senders wait only while
//!    the buffer is full, reserved slots included. (Only a select that both sends and receives on
//!    one channel waits at both ends.) Once a side is closed, no thread waits on the other side.
//! 2. The `Slot`s in the queues obey the invariants of `slot`, the nodes those of `wait_queue`.
//! 3. The exchange is done *before* the claim, since a claimed thread may return at once, and
//!    undone if the claim is lost. So a wait that is not woken never takes a message with it.
//! 4. A change that may make an operation ready (a message, a free slot, a waiting thread, a closed
//!    side) claims all watchers.
//! 5. No message is dropped, and nothing is allocated or freed, under the lock: the `drop` of a
//!    message may use this very channel.

use core::{cell::UnsafeCell, mem::MaybeUninit};
use std::time::{Duration, Instant};

use super::{
    atomic::{
        AtomicUsize,
        Ordering::{AcqRel, Relaxed},
    },
    buffer::{Block, Buffer, Popped, Pushed},
    slot::{Exchange, SendTicket, Slot, take_back},
    spin::{SpinGuard, SpinLock},
    wait_queue::{Node, Queue},
};
use crate::task::{
    cancel::unwind,
    coop::{CALL, consume_budget},
    time::deadline_after,
    wait::{Claim, Outcome, Reason, Waiter, Wake},
};

/// How long an operation may block.
#[derive(Clone, Copy, Debug)]
pub enum Timeout {
    /// It must not block.
    Try,
    /// Until the instant; with `None`, without a limit.
    Wait(Option<Instant>),
}

impl Timeout {
    /// For at most `timeout`; without a limit if that ends later than the clock can represent.
    pub fn within(timeout: Duration) -> Self {
        Timeout::Wait(deadline_after(timeout))
    }

    /// Until `deadline` at the latest.
    pub(crate) fn until(deadline: impl Into<Instant>) -> Self {
        Timeout::Wait(Some(deadline.into()))
    }
}

/// Why a message was not sent.
#[derive(Debug)]
pub(crate) enum SendFailed<T> {
    /// The call would have to wait, or has waited until its deadline.
    Full(T),
    /// All receivers have been dropped.
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
    /// The call would have to wait, or has waited until its deadline.
    Empty,
    /// The channel is empty, and all senders have been dropped.
    Closed,
}

/// A channel. Its lock and its queues share one cache line if it starts at one (`cache_line_arc`).
#[repr(C)]
pub(crate) struct Core<T> {
    pub(super) state: SpinLock<State<T>>,
    senders: AtomicUsize,
    receivers: AtomicUsize,
    capacity: Option<usize>,
}

#[repr(C)]
pub(super) struct State<T> {
    /// Threads that wait for a message.
    pub(super) receivers: Queue<Slot>,
    /// Threads that wait for a free slot.
    pub(super) senders: Queue<Slot>,
    /// Threads that wait until an operation is ready, and do it later.
    pub(super) watchers: Queue<Slot>,
    /// All senders have been dropped.
    pub(super) no_senders: bool,
    /// All receivers have been dropped.
    pub(super) no_receivers: bool,
    pub(super) buffer: Buffer<T>,
}

/// The stack memory of a waiting thread. If the message is one word long, it shares one cache line
/// with all that the thread on the other side touches.
#[repr(C, align(64))]
pub(super) struct Waiting<T> {
    pub(super) message: UnsafeCell<MaybeUninit<T>>,
    pub(super) waiter: Waiter,
    pub(super) node: MaybeUninit<Node<Slot>>,
}

impl<T> Waiting<T> {
    pub(super) fn new(message: MaybeUninit<T>) -> Self {
        Self { message: UnsafeCell::new(message), waiter: Waiter::new(), node: MaybeUninit::uninit() }
    }

    /// To be called once, at the final address.
    pub(super) fn begin(&mut self) -> (&Waiter, &Node<Slot>) {
        let slot = Slot::new(self.message.get().cast());
        (&self.waiter, self.node.write(Node::new(&self.waiter, slot)))
    }
}

/// Why `recv_now` has received no message.
pub(super) enum NotNow<'a, T> {
    Closed,
    Empty(SpinGuard<'a, State<T>>),
    /// The sender that was found has not sent; try once more.
    Again,
}

/// What the first waiting sender has to offer.
enum Taken<T> {
    Message(T, Option<Wake>),
    /// Its message has yet to be made. It is still in the queue.
    ToBeMade,
    Nobody,
}

impl<T> Core<T> {
    /// A channel that holds at most `capacity` messages, or any number if that is `None`, with one
    /// sender and one receiver.
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

    /// Uncounts a sender. The last one closes the channel: receivers get the messages that are in
    /// it, and then an error.
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

    /// Uncounts a receiver. The last one closes the channel: the messages in it are dropped, and
    /// senders get theirs back.
    pub(crate) fn drop_receiver(&self) {
        if self.receivers.fetch_sub(1, AcqRel) == 1 {
            let mut state = self.state.lock();
            state.no_receivers = true;
            // No sender pushes after `no_receivers`, so the empty buffer needs no capacity.
            let buffer = core::mem::replace(&mut state.buffer, Buffer::unbounded());
            let wakes = state.senders.claim_all();
            let watchers = state.watchers.claim_all();
            drop(state);
            drop((wakes, watchers));
            drop(buffer);
        }
    }

    /// The number of messages in the buffer.
    pub(crate) fn len(&self) -> usize {
        let len = self.state.lock().buffer.len();
        // A loop that polls this needs other threads to run: only they change the result.
        consume_budget(CALL);
        len
    }

    /// Whether the buffer is full. A rendezvous channel always is.
    pub(crate) fn is_full(&self) -> bool {
        self.capacity.is_some_and(|capacity| self.len() >= capacity)
    }

    /// The most messages that the buffer holds; `None` if it has no limit.
    pub(crate) fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    /// Sends a message. If the buffer is full, waits for a free slot.
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
    pub(super) fn supply(&self) {
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
        // SAFETY: the node leaves the queue before this returns: the claimer takes it out, or the
        // code below does (invariant 2). The one claim is made under this lock, and neither to
        // unlock nor to wake other threads switches.
        let parked = unsafe {
            state.senders.push(node);
            waiter.park_early(deadline)
        };
        announce(state);
        let outcome = waiter.wait_from(parked, Reason::Send, deadline);
        // SAFETY: this thread's own node, which was pushed to this queue.
        let remove = || unsafe { self.state.lock().senders.remove(node) };
        let outcome = take_back(waiter, Reason::Send, outcome, remove);
        if node.payload.exchange.get() == Exchange::Done {
            return Ok(());
        }
        // SAFETY: the node is this thread's again, and its message was not taken (invariant 2).
        let message = unsafe { node.payload.read() };
        Err(match outcome {
            Outcome::TimedOut => SendFailed::Full(message),
            Outcome::Cancelled => unwind(),
            Outcome::Woken => SendFailed::Closed(message),
        })
    }

    /// Receives the oldest message. If there is none, waits for one.
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

    /// Receives the oldest message, if there is one. Releases the lock, except with `Empty`.
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

    /// Has the first waiting sender make its message, and waits for it. `None` if the sender sends
    /// nothing.
    #[cold]
    fn ask(&self, mut state: SpinGuard<'_, State<T>>) -> Option<T> {
        let message = UnsafeCell::new(MaybeUninit::<T>::uninit());
        let slot = Slot::new(message.get().cast());
        let node = state.senders.pop()?;
        // SAFETY: just popped under the lock: alive and ours until the claim (invariant 2).
        let sender = unsafe { &(*node).payload };
        // SAFETY: this thread's own slot, with room for a message.
        unsafe { slot.begin_handshake() };
        sender.partner.set(&slot);
        sender.exchange.set(Exchange::Handshake);
        // SAFETY: the node has been popped, and the lock is still held.
        match unsafe { Node::claim(node) } {
            Claim::Lost => {
                sender.exchange.set(Exchange::None);
                None
            }
            Claim::Won(wake) => {
                drop(state);
                drop(wake);
                // SAFETY: the handshake has begun, and is awaited once; `true` means a filled slot.
                unsafe { slot.await_handshake().then(|| slot.read()) }
            }
        }
    }

    /// `None` if a handshake ended without a message: the caller tries once more.
    // Not inlined, it makes a ping-pong of messages 5 % slower.
    #[inline(always)]
    fn wait_for_message(
        &self,
        mut state: SpinGuard<'_, State<T>>,
        deadline: Option<Instant>,
    ) -> Option<Result<T, RecvFailed>> {
        let mut waiting = Waiting::<T>::new(MaybeUninit::uninit());
        let (waiter, node) = waiting.begin();
        // SAFETY: the node leaves the queue before this returns: the claimer takes it out, or the
        // code below does (invariant 2). The one claim is made under this lock, and neither to
        // unlock nor to wake other threads switches.
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
        // SAFETY: this thread's own node, which was pushed to this queue.
        let remove = || unsafe { self.state.lock().receivers.remove(node) };
        let outcome = take_back(waiter, Reason::Receive, outcome, remove);
        Some(match node.payload.exchange.get() {
            // SAFETY: the node is this thread's again, and a message is there (invariant 2).
            Exchange::Done => Ok(unsafe { node.payload.read() }),
            Exchange::None => Err(match outcome {
                Outcome::TimedOut => RecvFailed::Empty,
                Outcome::Cancelled => unwind(),
                Outcome::Woken => RecvFailed::Closed,
            }),
            // SAFETY: the handshake has begun, and is awaited once; `true` means a filled slot.
            _ => return unsafe { node.payload.await_handshake().then(|| Ok(node.payload.read())) },
        })
    }
}

fn count(handles: &AtomicUsize) {
    if handles.fetch_add(1, Relaxed) > usize::MAX / 2 {
        // Only a program that leaks handles gets here.
        std::process::abort();
    }
}

/// After a message has been popped from the buffer: lets a waiting sender proceed, and unlocks.
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

/// The same, if there is a sender or a watcher. Not inlined, so that `popped` need not save the
/// registers that only this uses.
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

/// Unlocks, for a caller that does not wait and will poll again.
#[cold]
fn not_yet<T>(state: SpinGuard<'_, State<T>>) -> RecvFailed {
    drop(state);
    consume_budget(CALL);
    RecvFailed::Empty
}

/// Unlocks, and wakes all watchers (invariant 4).
#[cold]
pub(super) fn announce<T>(mut state: SpinGuard<'_, State<T>>) {
    let watchers = state.watchers.claim_all();
    drop(state);
    drop(watchers);
}

impl<T> State<T> {
    /// Gives a message to the first waiting receiver. Returns the wake-up that is owed to it, if
    /// any; without a receiver, returns the message.
    #[inline]
    pub(super) fn hand_out(&mut self, mut message: T) -> Result<Option<Wake>, T> {
        while let Some(node) = self.receivers.pop() {
            // SAFETY: just popped under the lock, so alive until the claim (invariant 2).
            let slot = unsafe { &(*node).payload };
            // SAFETY: a receiver's slot, and this thread's to fill until the claim (invariant 2).
            unsafe { slot.write(message) };
            slot.exchange.set(Exchange::Done);
            // SAFETY: the node has been popped, and the lock is still held.
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                return Ok(wake);
            }
            // SAFETY: the claim is lost, so the slot's owner waits for the lock; the message that
            // was just written is taken back (invariant 3).
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
            // SAFETY: just popped under the lock, so alive until the claim (invariant 2).
            let slot = unsafe { &(*node).payload };
            // SAFETY: a receiver's slot, and this thread's to fill until the claim (invariant 2).
            unsafe { slot.begin_handshake() };
            // SAFETY: the node has been popped, and the lock is still held.
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                // SAFETY: this thread has begun the handshake, and won the claim.
                return Some(unsafe { SendTicket::new(slot, wake) });
            }
            slot.exchange.set(Exchange::None);
        }
        None
    }

    /// Called when the buffer has a free slot: moves the message of the first waiting sender in, or
    /// reserves the slot for that sender.
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
                    // SAFETY: just popped under the lock, so alive until the claim (invariant 2).
                    let slot = unsafe { &(*node).payload };
                    slot.exchange.set(Exchange::Room);
                    // SAFETY: the node has been popped, and the lock is still held.
                    if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                        self.buffer.keep();
                        return wake;
                    }
                    slot.exchange.set(Exchange::None);
                }
            }
        }
    }

    /// Takes the message of the first waiting sender, with the wake-up that is owed to it, if any.
    #[inline]
    fn take_over(&mut self) -> Taken<T> {
        while let Some(slot) = self.senders.front() {
            if slot.is_to_be_made() {
                return Taken::ToBeMade;
            }
            let Some(node) = self.senders.pop() else { unreachable!("it has just been there") };
            // SAFETY: just popped under the lock, so alive until the claim (invariant 2).
            let slot = unsafe { &(*node).payload };
            // SAFETY: a sender's slot is filled, and this thread's until the claim (invariant 2).
            // The copy is used only if the claim is won.
            let message = unsafe { slot.read::<MaybeUninit<T>>() };
            slot.exchange.set(Exchange::Done);
            // SAFETY: the node has been popped, and the lock is still held.
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                // SAFETY: a copy of the sender's message; because of `Done`, its owner does not use
                // it any more.
                return Taken::Message(unsafe { message.assume_init() }, wake);
            }
            // The claim is lost: the message stays with its owner (invariant 3).
            slot.exchange.set(Exchange::None);
        }
        Taken::Nobody
    }
}
