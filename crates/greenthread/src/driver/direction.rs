//! What a worker knows about one direction of a source: whether a call may succeed, and who waits
//! for that.
//!
//! A direction is *ready* or not. An event makes it ready. A call that would have blocked makes it
//! unready, and so does one that came short, for then the kernel had no more: the next call waits
//! first, and saves a system call that would only say EAGAIN.
//!
//! Why that loses nothing: events are taken in on the worker's own OS thread, between its threads.
//! So none is taken in between a call and the `note` of what it has shown, and whatever changes
//! after the call gives a new event, which makes the direction ready again. Only a short count can
//! lie: it comes before the end of the stream, before an error, and at urgent data, which have had
//! their event. So such an event is remembered ("ahead") and short counts are not believed any
//! more. A call that would have blocked is, unless it is the first after such an event: for
//! datagrams the end is where a call would block, and whoever calls a second time looks for it.
//!
//! # Who is woken
//!
//! A *waiting* thread is in the queue. A *woken* one has been taken out of it, and makes its call.
//! It *owes* a look if others waited behind it when it was woken.
//!
//! * A thread joins the queue only while the direction is not ready. It joins at the end, or at the
//!   front if it has been woken in vain: so the order is first come, first served.
//! * An event wakes the first waiting thread, whatever others have been woken and not yet run.
//! * A woken thread that owes a look pays when it is done with its call, or leaves without having
//!   made one (it unwinds): if the direction is ready still, the first waiting thread is woken.
//! * A thread whose time has passed takes itself out. It has not been woken, and owes nothing.
//!
//! Why nobody is forgotten. *While a direction is ready and somebody waits, there is a woken thread
//! that owes a look.* An event makes it so, and so does a look that is paid. A direction that is
//! not ready needs nobody; and while it is ready nobody joins, so no queue is empty when a thread
//! is woken and filled when that one is done. A debt of a thread that waits again is cancelled, as
//! its call has made the direction unready. So when all woken threads are done, either nobody
//! waits, or the kernel has said, after its last event, that there is nothing left.
//!
//! What each of the waiting threads has to learn (the end of a stream, a connection's reset, a
//! shutdown) they learn one from the other: such a call doesn't block, so the direction stays
//! ready, and the look is passed on to the last of them. What only one call is told (a datagram's
//! error) only one of them is told, as with threads of the OS.
//!
//! Several workers at one source each have their own poller, and each gets every event. So all of
//! this holds for each of them by itself: one thread of each worker is woken. They can take data
//! away from each other, so that ready is wrong and a call in vain; new data is a new event for
//! all.
//!
//! Rejected: to wake all who wait at each event (the cost of an event grows with their number);
//! `EPOLLEXCLUSIVE`, by which one worker of several is told (the kernel allows it neither with
//! `EPOLLRDHUP` nor with `EPOLLPRI`, without which short counts can't be believed; and a worker
//! that is told, and whose threads have stopped waiting meanwhile, would have to tell another); to
//! let at most one look be owed at a time (it needs a state more, and saves one call in vain per
//! event).
//!
//! Invariants:
//! 1. A node is in the queue from `join` until it is taken out: by `event` or `pay`, which claim
//!    its wait, or by `leave`, which its owner calls before the node goes, unless it was woken.
//! 2. A direction is touched by one OS thread at a time; its queue, while that is not empty, by the
//!    worker's own OS thread only. So a thread that was woken runs after `event` or `pay` has come
//!    back.

use core::cell::Cell;

use super::CallResult;
use crate::task::{
    wait::Claim,
    wait_queue::{self, Queue},
};

#[cfg(test)]
mod tests;

/// See the module.
#[derive(Debug)]
pub(super) struct Direction {
    ready: bool,
    /// Short counts are not believed.
    ahead: bool,
    waiting: Queue<Cell<Place>>,
}

/// A waiting thread, on its stack.
pub(super) type Node = wait_queue::Node<Cell<Place>>;

/// Where a thread stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It has not been woken.
    Waiting,
    /// It has been woken, and nobody waited behind it.
    Woken,
    /// It has been woken, and owes a look.
    Owing,
}

impl Direction {
    pub(super) const fn new() -> Self {
        Self { ready: false, ahead: false, waiting: Queue::new() }
    }

    /// Whether a call may succeed.
    pub(super) fn is_ready(&self) -> bool {
        self.ready
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Something has changed; `ahead` of the data there is more to be told.
    #[inline]
    pub(super) fn event(&mut self, ahead: bool) {
        self.ready = true;
        self.ahead |= ahead;
        self.wake_one();
    }

    /// What a call has shown, right after it.
    pub(super) fn record(&mut self, shown: CallResult) {
        match shown {
            CallResult::Full => {}
            CallResult::Blocked if self.ahead => self.ahead = false,
            CallResult::Blocked => self.ready = false,
            CallResult::Short => self.ready &= self.ahead,
        }
    }

    /// A thread that owes a look is done.
    pub(super) fn pay(&mut self) {
        if self.ready {
            self.wake_one();
        }
    }

    /// A thread begins to wait: `again` if it has been woken in vain.
    ///
    /// # Safety
    /// The direction is not ready. The node is in no queue, and its place is `Waiting`. The caller
    /// sees to invariant 1.
    pub(super) unsafe fn join(&mut self, node: &Node, again: bool) {
        debug_assert!(!self.ready && node.payload.get() == Place::Waiting);
        // SAFETY: as the caller says.
        unsafe {
            if again {
                self.waiting.insert(node, |_| true);
            } else {
                self.waiting.push(node);
            }
        }
    }

    /// A thread that was not woken waits no more.
    ///
    /// # Safety
    /// The node has joined here.
    pub(super) unsafe fn leave(&mut self, node: &Node) {
        // SAFETY: as the caller says.
        unsafe { self.waiting.remove(node) };
    }

    /// Cancels the wait of the first thread.
    #[cfg(test)]
    pub(super) fn cancel_first(&mut self) -> Option<Claim> {
        self.waiting.cancel_first()
    }

    fn wake_one(&mut self) {
        while let Some(node) = self.waiting.pop() {
            let place = if self.waiting.is_empty() { Place::Woken } else { Place::Owing };
            // SAFETY: just taken out, so alive (invariant 1), up to and after the claim: its thread
            // runs after us (invariant 2).
            unsafe {
                if let Claim::Won(wake) = wait_queue::Node::claim(node) {
                    (*node).payload.set(place);
                    drop(wake);
                    return;
                }
            }
        }
    }
}
