//! One wait at many channels: the first that has something for it is selected, and no other.
//!
//! A select takes the locks of all its channels, in the order of their addresses, and so sees them
//! at one moment. If something is ready it gives the other locks back and does that. Otherwise it
//! puts a node into a queue of each channel, all with the same waiter, and waits: whoever claims
//! the waiter has made the exchange for one of them. No two selects can miss each other, and
//! "nothing is ready" is true at one moment for all channels together.
//!
//! Where much is ready all that is not needed: so first it takes a glance at one or two of them,
//! each alone.
//!
//! Timers are no channels: the earliest is the deadline of the wait.
//!
//! Invariants:
//! 1. Between `lock_all` and `unlock_all_but` the locks are held, each once, and nothing is called
//!    but `Selectable`.
//! 2. While nodes are in queues the operations are only shared, and they don't move. `withdraw`
//!    takes all of them out before anything else happens to them; it takes each channel's lock, so
//!    a claim in progress is over.
//! 3. An operation's place is good for a message of its channel's, and nobody else's, for as long
//!    as the operation lives.

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
    coop::{CALL, consume_budget},
    time,
    wait::{Outcome, Reason, Waiter},
    worker_core,
};

/// One arm of a select: at a channel, a timer, or neither, and never ready.
pub struct Operation<'a> {
    channel: Option<&'a dyn Selectable>,
    /// Of the channel: what it does there.
    side: Side,
    /// Where a message that it receives goes.
    place: *mut (),
    timer: Option<&'a Timer>,
    /// Entry number `i` says which operation's channel has the `i`th lowest address.
    ranked: usize,
    node: Option<Node<Slot>>,
}

/// In what way a select selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Any of the arms that are ready, with equal odds.
    Fair,
    /// The first of the arms that are ready.
    First,
}

/// The arm that is selected, and what for.
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
    /// Invariant 3.
    #[inline]
    pub(crate) unsafe fn receive(channel: &'a dyn Selectable, place: *mut ()) -> Self {
        Self { channel: Some(channel), side: Side::Receivers, place, ..Self::never() }
    }

    #[inline]
    pub(crate) fn timer(timer: &'a Timer) -> Self {
        Self { timer: Some(timer), ..Self::never() }
    }

    /// Is never ready.
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

    /// One more of the same.
    pub(crate) fn again(&self) -> Self {
        Self { ranked: 0, node: None, ..*self }
    }

    /// Where its message goes; null if it doesn't receive.
    #[inline]
    pub(crate) fn place(&self) -> *const () {
        self.place
    }

    /// Has the message put elsewhere.
    ///
    /// # Safety
    /// Invariant 3.
    pub(crate) unsafe fn set_place(&mut self, place: *mut ()) {
        if self.side == Side::Receivers {
            self.place = place;
        }
    }

    /// The channel.
    #[inline]
    pub(crate) fn channel(&self) -> Option<&'a dyn Selectable> {
        self.channel
    }

    /// Its place in the order of locking; 0 if it has no lock.
    #[inline]
    fn address(&self) -> usize {
        self.channel.map_or(0, |channel| ptr::from_ref(channel).addr())
    }

    fn is_due(&self, now: &mut Option<Instant>) -> bool {
        self.timer.is_some_and(|timer| timer.is_due(*now.get_or_insert_with(time::now)))
    }

    /// # Safety
    /// Its channel's lock is held.
    unsafe fn is_ready(&self, now: &mut Option<Instant>) -> bool {
        match self.channel {
            // SAFETY: as the caller says.
            Some(channel) => unsafe { channel.is_ready(self.side) },
            None => self.is_due(now),
        }
    }

    /// Does it, and gives its channel's lock back. `None` if it is no longer ready.
    ///
    /// # Safety
    /// Its channel's lock is held.
    unsafe fn perform(&self) -> Option<Selected> {
        match (self.channel, self.side) {
            // SAFETY: as the caller says, and invariant 3.
            (Some(channel), Side::Receivers) => unsafe { channel.receive(self.place) },
            // SAFETY: as the caller says.
            (Some(channel), _) => unsafe { channel.start_sending() },
            (None, _) => self.timer?.take(time::now()).map(Selected::Due),
        }
    }

    /// After the wait: what has been done for it meanwhile.
    fn outcome(&self) -> Option<Selected> {
        let slot = &self.node.as_ref()?.payload;
        match (slot.exchange.get(), self.side) {
            (Exchange::None, _) => None,
            (Exchange::Done, _) => Some(Selected::Message),
            (Exchange::Room, _) => Some(Selected::Room),
            (Exchange::Handshake, Side::Receivers) => {
                // SAFETY: the node is ours again, and this is called once after each wait.
                unsafe { slot.await_handshake() }.then_some(Selected::Message)
            }
            (Exchange::Handshake, _) => {
                // SAFETY: the handshake is with us.
                let ticket = unsafe { SendTicket::new(slot.partner.get(), None) };
                Some(Selected::Receiver(ticket))
            }
        }
    }
}

/// Does one of the operations: which, and what it is selected for. `None` if none was ready for as
/// long as it may wait.
pub(crate) fn select(ops: &mut [Operation<'_>], timeout: Timeout, choice: Choice) -> Option<Chosen> {
    until(ops, timeout, choice, false, |ops, chosen| {
        // SAFETY: its lock is still held.
        unsafe { ops[chosen].perform() }.map(|selected| (chosen, selected))
    })
}

/// Waits until one of the operations is ready: which.
pub(crate) fn ready(ops: &mut [Operation<'_>], timeout: Timeout, choice: Choice) -> Option<usize> {
    let chosen = until(ops, timeout, choice, true, |ops, chosen| {
        if let Some(channel) = ops[chosen].channel {
            // SAFETY: its lock is still held.
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
    // A look at each is as much as a message, whether or not it waits then.
    consume_budget(u32::try_from(ops.len()).unwrap_or(u32::MAX));
    rank(ops);
    let waiter = Waiter::new();
    let mut late = false;
    loop {
        lock_all(ops);
        // SAFETY: all locks are held.
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
        // A channel was closed, or something may be ready, or a handshake ended without a
        // message; or it is too late.
        late = match outcome {
            Outcome::Woken => false,
            // Or a timer is due, which was the earlier deadline.
            Outcome::TimedOut => deadline.is_some_and(|deadline| deadline <= time::now()),
            Outcome::Cancelled => true,
        };
        waiter.reset();
    }
}

/// With all locks held: waits until something has been done for one of the operations, or may be.
fn wait(
    ops: &mut [Operation<'_>],
    waiter: &Waiter,
    choice: Choice,
    watch: bool,
    mut deadline: Option<Instant>,
) -> Outcome {
    for op in &mut *ops {
        match (op.channel, op.timer) {
            // Without a place its message is to be made.
            (Some(_), _) => op.node = Some(Node::new(waiter, Slot::new(op.place))),
            (None, Some(timer)) => deadline = sooner(deadline, timer.due()),
            (None, None) => {}
        }
    }
    // From here to the end they are only shared (invariant 2).
    let ops = &*ops;
    // Of two arms at the same end of one channel, the first to be put there is served first.
    let first = match (choice, ops.len()) {
        (Choice::Fair, len @ 2..) => worker_core::random_below(len),
        _ => 0,
    };
    let nodes = || {
        ops[first..].iter().chain(&ops[..first]).filter_map(|op| {
            Some((op.channel?, if watch { Side::Watchers } else { op.side }, op.node.as_ref()?))
        })
    };
    let mut tell = false;
    for (channel, side, node) in nodes() {
        // SAFETY: its lock is held; it is taken out below, after the wait (invariant 2).
        tell |= unsafe { channel.enlist(side, node) };
    }
    unlock_all_but(ops, None);
    if tell {
        nodes().for_each(|(channel, ..)| channel.announce());
    }
    let reason = match ops {
        [op] if op.channel.is_some() && op.side == Side::Senders => Reason::Send,
        [_] => Reason::Receive,
        _ => Reason::Select,
    };
    let outcome = waiter.wait_cancellable(reason, deadline);
    for (channel, side, node) in nodes() {
        // SAFETY: our own, put into this queue.
        unsafe { channel.withdraw(side, node) };
    }
    outcome
}

/// One of the operations that are ready, if a look at one or two of them finds it, with its lock
/// held. Which ones is left to chance: so all that are ready have equal odds, here and if it is not
/// found here. Of those in order only the first can be told from the others by itself.
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

/// Sorts by address. Mostly they are sorted already, or few.
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

/// Calls `f` for each channel, once, in the order of their addresses.
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

/// Gives the locks back, except that of the operation `kept`.
fn unlock_all_but(ops: &[Operation<'_>], kept: Option<usize>) {
    let kept = kept.map_or(0, |kept| ops[kept].address());
    each_lock(ops, |channel, address| {
        if address != kept {
            // SAFETY: held (invariant 1).
            unsafe { channel.unlock() }
        }
    });
}

/// One of the operations that are ready.
///
/// # Safety
/// All locks are held.
unsafe fn choose(ops: &[Operation<'_>], choice: Choice) -> Option<usize> {
    let (mut chosen, mut ready, mut now) = (None, 0, None);
    for (i, op) in ops.iter().enumerate() {
        // SAFETY: all locks are held.
        if unsafe { op.is_ready(&mut now) } {
            if choice == Choice::First {
                return Some(i);
            }
            // The second replaces the first in one case of two, the third either of them in one of
            // three...
            ready += 1;
            if ready == 1 || worker_core::random_below(ready) == 0 {
                chosen = Some(i);
            }
        }
    }
    chosen
}
