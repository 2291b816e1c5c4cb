//! The state of one direction of a source at one worker: whether a call may succeed, and which
//! threads wait for that.
//!
//! A direction is *ready* or not. An event makes it ready. A call that would have blocked makes it
//! unready. So does a call that moved fewer bytes than it was asked to (a *short count*): the
//! kernel had no more, so the next call waits first, which saves a system call that would only
//! return EAGAIN.
//!
//! # Why no event is lost
//!
//! The worker takes in events on its own OS thread, between its green threads. So it takes in none
//! between a call and the `record` of its result. Whatever changes after the call causes a new
//! event, which makes the direction ready again.
//!
//! A short count is misleading in three cases: before the end of the stream, before an error, and
//! at urgent data. There is more to be read, and its event has been taken in already. Such an event
//! is *exceptional*. After it, short counts are ignored until a call would have blocked, and the
//! first such result is ignored too: on a datagram socket that was shut down a call would block,
//! and the caller that tries again checks for that end.
//!
//! # Which thread is woken
//!
//! A *waiting* thread is in the queue. A *woken* thread has been taken out of the queue, and makes
//! its call. A woken thread is *responsible* if other threads waited behind it when it was woken.
//!
//! * A thread joins the queue only while the direction is not ready. It joins at the end, or at the
//!   front if it was woken and its call would have blocked. So threads are served in the order in
//!   which they came.
//! * An event wakes the first waiting thread, even if other threads have been woken and have not
//!   run yet.
//! * A responsible thread passes the wake-up on after its call, or if it leaves without a call (it
//!   unwinds): if the direction is still ready, the first waiting thread is woken.
//! * A thread whose deadline has passed removes itself. It has not been woken, and is not
//!   responsible.
//!
//! # Why no thread waits for ever
//!
//! *While a direction is ready and a thread waits, there is a responsible woken thread.* Proof:
//!
//! * An event establishes this, and so does passing a wake-up on.
//! * While the direction is not ready, the statement is true.
//! * While the direction is ready no thread joins. So the queue cannot be empty when a thread is
//!   woken and filled when that thread has finished its call.
//! * A responsible thread that waits again is not responsible any more, as its call has made the
//!   direction unready.
//!
//! So when all woken threads have finished, either no thread waits, or the kernel has said after
//! its last event that nothing is left.
//!
//! Some results are meant for all waiting threads: the end of a stream, the reset of a connection,
//! a shutdown. A call with such a result doesn't block, so the direction stays ready, and the
//! wake-up is passed on up to the last waiting thread. A result that the kernel gives to one call
//! only (the error of a datagram) reaches one thread only, as with OS threads.
//!
//! # Several workers
//!
//! Each worker that uses a source has its own poller, and gets each event. So all of this holds for
//! each worker separately: one thread of each worker is woken. Workers can take data away from each
//! other; then a direction is ready and the call would block. New data causes a new event at all of
//! them.
//!
//! # Rejected
//!
//! * To wake all waiting threads at each event: the cost of an event grows with their number.
//! * `EPOLLEXCLUSIVE`, by which only one of several workers gets an event. The kernel does not
//!   allow it together with `EPOLLRDHUP` or `EPOLLPRI`, without which no short count could be
//!   trusted. Also a worker that gets the event, and whose threads have stopped waiting meanwhile,
//!   would have to tell another worker.
//! * To allow only one responsible thread at a time: this needs one more state, and saves one vain
//!   call per event.
//!
//! # Invariants
//!
//! 1. A node is in the queue from `join` until it is taken out: by `event` or `pass_on`, which
//!    claim its wait, or by `leave`, which its owner calls before the node goes, unless it was
//!    woken.
//! 2. One OS thread at a time accesses a direction. While threads wait there, only the worker's own
//!    OS thread does, and tasks (`poll::awaiting`) that leave, under the registry's lock. So a
//!    thread that was woken runs after `event` or `pass_on` has returned. A task may be polled
//!    before, and reads its node's state once it sees the claim.

use core::cell::Cell;

use super::CallResult;
use crate::task::{
    wait::Claim,
    wait_queue::{self, Queue},
};

#[cfg(test)]
mod tests;

/// The state of one direction; see the module's comment.
#[derive(Debug)]
pub(super) struct Direction {
    ready: bool,
    /// An exceptional event has been taken in: short counts are ignored.
    exceptional: bool,
    waiting: Queue<Cell<WaitState>>,
}

/// The queue node of a waiting thread, on its stack.
pub(super) type Node = wait_queue::Node<Cell<WaitState>>;

/// The state of a thread's wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitState {
    /// The thread has not been woken.
    Waiting,
    /// The thread has been woken, and no thread waited behind it.
    Woken,
    /// The thread has been woken, and other threads waited behind it.
    Responsible,
}

impl Direction {
    pub(super) const fn new() -> Self {
        Self { ready: false, exceptional: false, waiting: Queue::new() }
    }

    /// Whether a call may succeed.
    pub(super) fn is_ready(&self) -> bool {
        self.ready
    }

    /// Whether no thread waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes in an event. If it is `exceptional`, the end of the stream, an error or urgent data is
    /// ahead.
    #[inline]
    pub(super) fn event(&mut self, exceptional: bool) {
        self.ready = true;
        self.exceptional |= exceptional;
        self.wake_one();
    }

    /// Takes in what the result of a call has shown. To be called right after the call.
    pub(super) fn record(&mut self, shown: CallResult) {
        match shown {
            CallResult::Full => {}
            CallResult::Blocked if self.exceptional => self.exceptional = false,
            CallResult::Blocked => self.ready = false,
            CallResult::Short => self.ready &= self.exceptional,
        }
    }

    /// A responsible thread has finished its call, or leaves: wakes the next thread if the
    /// direction is still ready.
    pub(super) fn pass_on(&mut self) {
        if self.ready {
            self.wake_one();
        }
    }

    /// A thread begins to wait. With `again` it was woken before, and its call would have blocked.
    ///
    /// # Safety
    /// The direction is not ready. The node is in no queue, and its state is `Waiting`. The caller
    /// vouches for invariant 1.
    pub(super) unsafe fn join(&mut self, node: &Node, again: bool) {
        debug_assert!(!self.ready && node.payload.get() == WaitState::Waiting);
        // SAFETY: the node is in no queue, and the caller vouches that it stays alive there
        // (invariant 1).
        unsafe {
            if again {
                self.waiting.insert(node, |_| true);
            } else {
                self.waiting.push(node);
            }
        }
    }

    /// A thread stops waiting. Returns `false` if it was woken.
    ///
    /// # Safety
    /// The node has joined this direction.
    pub(super) unsafe fn leave(&mut self, node: &Node) -> bool {
        // SAFETY: the caller's own node, which has joined this queue.
        unsafe { self.waiting.remove(node) }
    }

    /// Cancels the wait of the first waiting thread.
    #[cfg(test)]
    #[allow(dead_code, reason = "the driver's tests, which use it, are for Linux")]
    pub(super) fn cancel_first(&mut self) -> Option<Claim> {
        self.waiting.cancel_first()
    }

    fn wake_one(&mut self) {
        while let Some(node) = self.waiting.pop() {
            let state = if self.waiting.is_empty() { WaitState::Woken } else { WaitState::Responsible };
            // SAFETY: just taken out of the queue, so alive (invariant 1). It stays alive if the
            // claim is lost, since its thread leaves on this OS thread (invariant 2).
            unsafe {
                (*node).payload.set(state);
                if let Claim::Won(wake) = wait_queue::Node::claim(node) {
                    drop(wake);
                    return;
                }
                (*node).payload.set(WaitState::Waiting);
            }
        }
    }
}
