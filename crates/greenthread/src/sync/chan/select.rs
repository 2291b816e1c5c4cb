//! A select: one wait at several channels, in which exactly one operation is selected.
//!
//! A select takes the locks of all its channels, in the order of their addresses, and so sees them
//! all at one moment. If an operation is ready, the select releases the other locks and performs
//! that operation. Otherwise it puts a node into a queue of each channel, all with the same waiter,
//! releases the locks and waits. The thread that claims the waiter has done the exchange for one of
//! the nodes. So two selects cannot miss each other, and "nothing is ready" is true of all channels
//! at one moment.
//!
//! If many operations are ready, all of this is not needed. So a select first looks at one or two
//! of its operations, each under its own lock (`glance`).
//!
//! A timer is not a channel: the wait ends at the earliest time at which a timer is due.
//!
//! Invariants:
//! 1. Between `lock_all` and `unlock_all_but` each channel's lock is held once, and only functions
//!    of `Selectable` are called.
//! 2. While nodes are in queues the operations are borrowed as shared, and don't move. `withdraw`
//!    takes all nodes out before the operations are accessed in another way. It takes the lock of
//!    each channel, so no claim is in progress afterwards.
//! 3. The `place` of an operation has room for a message of its channel, and is nobody else's to
//!    access, for as long as the operation lives.

use core::{fmt, ptr};
use std::time::Instant;

use super::{
    core::Timeout,
    selectable::{Selectable, Selected, Side},
    slot::{Exchange, SendTicket, Slot},
    timer::{Timer, sooner},
    wait_queue::Node,
};
use crate::task::{
    cancel,
    coop::{CALL, consume_budget},
    time,
    wait::{Outcome, Reason, Waiter},
    worker_core,
};

/// One operation of a select: at a channel, at a timer, or at neither, which is never ready.
pub struct Operation<'a> {
    channel: Option<&'a dyn Selectable>,
    /// What it does at the channel.
    side: Side,
    /// The address to which a received message is written; null for an operation that sends.
    place: *mut (),
    timer: Option<&'a Timer>,
    /// Not a property of this operation: the field of operation number `i` is the index of the
    /// operation whose channel has the `i`th lowest address.
    ranked: usize,
    node: Option<Node<Slot>>,
}

/// Which of several ready operations a select chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Any of them, with equal odds.
    Fair,
    /// The first in the list.
    First,
}

/// The index of the selected operation, and what was selected for it.
pub(crate) type Chosen = (usize, Selected);

impl fmt::Debug for Operation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").finish_non_exhaustive()
    }
}

impl<'a> Operation<'a> {
    #[inline]
    pub(crate) fn send(channel: &'a dyn Selectable) -> Self {
        Self { channel: Some(channel), ..Self::never() }
    }

    /// # Safety
    /// The caller vouches for invariant 3.
    #[inline]
    pub(crate) unsafe fn receive(channel: &'a dyn Selectable, place: *mut ()) -> Self {
        Self { channel: Some(channel), side: Side::Receivers, place, ..Self::never() }
    }

    #[inline]
    pub(crate) fn timer(timer: &'a Timer) -> Self {
        Self { timer: Some(timer), ..Self::never() }
    }

    /// An operation that is never ready.
    #[inline]
    pub(crate) fn never() -> Self {
        Self {
            channel: None,
            side: Side::Senders,
            place: ptr::null_mut(),
            timer: None,
            ranked: 0,
            node: None,
        }
    }

    /// Another operation of the same kind, which is in no queue.
    pub(crate) fn again(&self) -> Self {
        Self { ranked: 0, node: None, ..*self }
    }

    /// The address to which a received message is written; null for an operation that sends.
    #[inline]
    pub(crate) fn place(&self) -> *const () {
        self.place
    }

    /// Sets the address to which a received message is written. Does nothing for other operations.
    ///
    /// # Safety
    /// The caller vouches for invariant 3.
    pub(crate) unsafe fn set_place(&mut self, place: *mut ()) {
        if self.side == Side::Receivers {
            self.place = place;
        }
    }

    /// The channel, if it has one.
    #[inline]
    pub(crate) fn channel(&self) -> Option<&'a dyn Selectable> {
        self.channel
    }

    /// The key of the locking order; 0 if it has no lock.
    #[inline]
    fn address(&self) -> usize {
        self.channel.map_or(0, |channel| ptr::from_ref(channel).addr())
    }

    fn is_due(&self, now: &mut Option<Instant>) -> bool {
        self.timer.is_some_and(|timer| timer.is_due(*now.get_or_insert_with(time::now)))
    }

    /// # Safety
    /// The lock of its channel is held.
    unsafe fn is_ready(&self, now: &mut Option<Instant>) -> bool {
        match self.channel {
            // SAFETY: the caller holds the channel's lock.
            Some(channel) => unsafe { channel.is_ready(self.side) },
            None => self.is_due(now),
        }
    }

    /// Performs the operation, and releases the lock of its channel. `None` if it is not ready any
    /// more.
    ///
    /// # Safety
    /// The lock of its channel is held.
    unsafe fn perform(&self) -> Option<Selected> {
        match (self.channel, self.side) {
            // SAFETY: the caller holds the channel's lock, and `place` has room for a message
            // (invariant 3).
            (Some(channel), Side::Receivers) => unsafe { channel.receive(self.place) },
            // SAFETY: the caller holds the channel's lock.
            (Some(channel), _) => unsafe { channel.start_sending() },
            (None, _) => self.timer?.take(time::now()).map(Selected::Due),
        }
    }

    /// After the wait: what other threads have done for this operation meanwhile.
    fn outcome(&self) -> Option<Selected> {
        let slot = &self.node.as_ref()?.payload;
        match (slot.exchange.get(), self.side) {
            (Exchange::None, _) => None,
            (Exchange::Done, _) => Some(Selected::Message),
            (Exchange::Room, _) => Some(Selected::Room),
            (Exchange::Handshake, Side::Receivers) => {
                // SAFETY: the node has been withdrawn, so the slot is this thread's, and this is
                // called once after each wait.
                unsafe { slot.await_handshake() }.then_some(Selected::Message)
            }
            (Exchange::Handshake, _) => {
                // SAFETY: the receiver at `partner` has begun a handshake with this operation, and
                // no other ticket for it is made.
                let ticket = unsafe { SendTicket::new(slot.partner.get(), None) };
                Some(Selected::Receiver(ticket))
            }
        }
    }
}

/// Performs one of the operations. Returns its index and what was selected for it; `None` if none
/// was ready in time.
pub(crate) fn select(ops: &mut [Operation<'_>], timeout: Timeout, choice: Choice) -> Option<Chosen> {
    until(ops, timeout, choice, false, |ops, chosen| {
        // SAFETY: the lock of its channel is still held.
        unsafe { ops[chosen].perform() }.map(|selected| (chosen, selected))
    })
}

/// Waits until one of the operations is ready, and returns its index.
pub(crate) fn ready(ops: &mut [Operation<'_>], timeout: Timeout, choice: Choice) -> Option<usize> {
    let chosen = until(ops, timeout, choice, true, |ops, chosen| {
        if let Some(channel) = ops[chosen].channel {
            // SAFETY: the lock of its channel is still held.
            unsafe { channel.unlock() };
        }
        Some((chosen, Selected::Closed))
    });
    chosen.map(|(chosen, _)| chosen)
}

fn until(
    ops: &mut [Operation<'_>],
    timeout: Timeout,
    choice: Choice,
    watch: bool,
    perform: impl Fn(&[Operation<'_>], usize) -> Option<Chosen>,
) -> Option<Chosen> {
    if let Some(chosen) = glance(ops, timeout, choice)
        && let Some(selected) = perform(ops, chosen)
    {
        return Some(selected);
    }
    // To look at an operation costs as much as a message, whether or not the select then waits.
    consume_budget(u32::try_from(ops.len()).unwrap_or(u32::MAX));
    rank(ops);
    let waiter = Waiter::new();
    let mut late = false;
    loop {
        lock_all(ops);
        // SAFETY: `lock_all` has taken all locks.
        if let Some(chosen) = unsafe { choose(ops, choice) } {
            unlock_all_but(ops, Some(chosen));
            match perform(ops, chosen) {
                None => continue,
                done => return done,
            }
        }
        let deadline = match timeout {
            Timeout::Wait(deadline) if !late => deadline,
            _ => {
                unlock_all_but(ops, None);
                consume_budget(CALL);
                return None;
            }
        };
        let outcome = wait(ops, &waiter, choice, watch, deadline);
        let selected = ops.iter().enumerate().find_map(|(i, op)| Some((i, op.outcome()?)));
        if selected.is_some() {
            return selected;
        }
        // Nothing was selected: a channel was closed, or an operation may be ready, or a handshake
        // ended without a message, or the time is up.
        late = match outcome {
            Outcome::Woken => false,
            // Or a timer is due, which was an earlier deadline than the caller's.
            Outcome::TimedOut => deadline.is_some_and(|deadline| deadline <= time::now()),
            Outcome::Cancelled => cancel::unwind(),
        };
        waiter.reset();
    }
}

/// Called with all locks held: waits until an operation has been performed by another thread, or
/// may be ready.
fn wait(
    ops: &mut [Operation<'_>],
    waiter: &Waiter,
    choice: Choice,
    watch: bool,
    mut deadline: Option<Instant>,
) -> Outcome {
    for op in &mut *ops {
        match (op.channel, op.timer) {
            // An operation that sends has no `place`: its message has yet to be made.
            (Some(_), _) => op.node = Some(Node::new(waiter, Slot::new(op.place))),
            (None, Some(timer)) => deadline = sooner(deadline, timer.due()),
            (None, None) => {}
        }
    }
    // From here on the operations are borrowed as shared (invariant 2).
    let ops = &*ops;
    // Of two operations at the same side of one channel, the one that is queued first is served
    // first. So a fair select starts with a random one.
    let first = match (choice, ops.len()) {
        (Choice::Fair, len @ 2..) => worker_core::random_below(len),
        _ => 0,
    };
    let nodes = || {
        ops[first..].iter().chain(&ops[..first]).filter_map(|op| {
            Some((op.channel?, if watch { Side::Watchers } else { op.side }, op.node.as_ref()?))
        })
    };
    let mut has_watchers = false;
    for (channel, side, node) in nodes() {
        // SAFETY: the lock is held, and `withdraw` takes the node out after the wait, before it can
        // move (invariant 2).
        has_watchers |= unsafe { channel.enlist(side, node) };
    }
    unlock_all_but(ops, None);
    if has_watchers {
        nodes().for_each(|(channel, ..)| channel.announce());
    }
    let reason = match ops {
        [op] if op.channel.is_some() && op.side == Side::Senders => Reason::Send,
        [_] => Reason::Receive,
        _ => Reason::Select,
    };
    let outcome = waiter.wait_cancellable(reason, deadline);
    for (channel, side, node) in nodes() {
        // SAFETY: this thread's own node, which was put into this queue.
        unsafe { channel.withdraw(side, node) };
    }
    outcome
}

/// Looks at one or two of the operations. Returns one that is ready, with the lock of its channel
/// held, or `None`. A fair select picks them at random: so all operations that are ready have equal
/// odds, both here and if this finds none. A biased select can only look at its first operation: of
/// any other it would have to know that those before it are not ready.
fn glance(ops: &[Operation<'_>], timeout: Timeout, choice: Choice) -> Option<usize> {
    let count = ops.len();
    if count < 2 {
        return None;
    }
    let is_ready = |which: usize| match ops[which].channel {
        Some(channel) => channel.lock_if_ready(ops[which].side),
        None => ops[which].is_due(&mut None),
    };
    if choice == Choice::First {
        return is_ready(0).then_some(0);
    }
    let first = worker_core::random_below(count);
    if is_ready(first) {
        return Some(first);
    }
    if matches!(timeout, Timeout::Try) {
        return None;
    }
    let other = worker_core::random_below(count - 1);
    let other = other + usize::from(other >= first);
    is_ready(other).then_some(other)
}

/// Sorts by address (insertion sort). Mostly the operations are few, or sorted already.
fn rank(ops: &mut [Operation<'_>]) {
    for new in 0..ops.len() {
        let address = ops[new].address();
        let mut at = new;
        while at > 0 && ops[ops[at - 1].ranked].address() > address {
            ops[at].ranked = ops[at - 1].ranked;
            at -= 1;
        }
        ops[at].ranked = new;
    }
}

/// Calls `f` once for each channel, in the order of their addresses.
fn each_lock<'a>(ops: &[Operation<'a>], mut f: impl FnMut(&'a dyn Selectable, usize)) {
    let mut last = 0;
    for op in ops {
        let op = &ops[op.ranked];
        let address = op.address();
        if let Some(channel) = op.channel
            && address != last
        {
            last = address;
            f(channel, address);
        }
    }
}

fn lock_all(ops: &[Operation<'_>]) {
    each_lock(ops, |channel, _| channel.lock());
}

/// Releases the locks, except that of the operation `kept`.
fn unlock_all_but(ops: &[Operation<'_>], kept: Option<usize>) {
    let kept = kept.map_or(0, |kept| ops[kept].address());
    each_lock(ops, |channel, address| {
        if address != kept {
            // SAFETY: `lock_all` has taken it (invariant 1).
            unsafe { channel.unlock() }
        }
    });
}

/// Chooses one of the operations that are ready.
///
/// # Safety
/// All locks are held.
unsafe fn choose(ops: &[Operation<'_>], choice: Choice) -> Option<usize> {
    let (mut chosen, mut ready, mut now) = (None, 0, None);
    for (i, op) in ops.iter().enumerate() {
        // SAFETY: the caller holds all locks.
        if unsafe { op.is_ready(&mut now) } {
            if choice == Choice::First {
                return Some(i);
            }
            // Reservoir sampling: the `n`th ready operation replaces the one that was chosen before
            // with odds of 1 in `n`.
            ready += 1;
            if ready == 1 || worker_core::random_below(ready) == 0 {
                chosen = Some(i);
            }
        }
    }
    chosen
}
