//! The raw once: a state machine for a closure that must complete once.
//!
//! # States and transitions
//!
//! ```text
//!   INCOMPLETE ──begin──▶ RUNNING ──finish──▶ COMPLETE
//!                          ▲   │
//!                     begin│   │finish
//!                          │   ▼
//!                        POISONED
//!   .. | QUEUED            threads wait for the next `finish`
//! ```
//!
//! * INCOMPLETE: no thread has begun.
//! * RUNNING: one thread runs its closure. That thread is the *runner*.
//! * COMPLETE: a runner's closure has returned.
//! * POISONED: the last runner's closure has panicked. Only a `begin` with `force` leaves this
//!   state.
//!
//! A thread that finds RUNNING sets QUEUED, pushes its node, and sleeps. The runner's `finish`
//! clears QUEUED and wakes all queued threads. Each of them then looks at the state again.
//!
//! # Invariants
//!
//! 1. One thread sets RUNNING, the runner, and only the runner leaves that state. No transition
//!    leaves COMPLETE.
//! 2. `finish` releases the effects of the closure. A thread that sees COMPLETE acquires them.
//! 3. No wake-up is lost. A thread sets QUEUED under the queue's lock, and pushes its node before
//!    it releases that lock. `finish` clears QUEUED. If QUEUED was set, `finish` takes the lock and
//!    wakes the whole queue. A wake-up may come too early, so a woken thread looks at the state
//!    again.
//! 4. The nodes obey the invariants of `wait_queue`.

use super::{
    atomic::{
        AtomicU32,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
    const_fn,
    spin::SpinLock,
    wait_queue::{Node, Queue},
};
use crate::task::wait::{Reason, Waiter};

const INCOMPLETE: u32 = 0;
const POISONED: u32 = 1;
const RUNNING: u32 = 2;
const COMPLETE: u32 = 3;
/// Mask of the bits that hold one of the four states above.
const STEP: u32 = 3;
/// State flag: threads wait for the next `finish`.
const QUEUED: u32 = 4;

/// A once. It stores no closure: the caller runs its own.
pub(crate) struct RawOnce {
    state: AtomicU32,
    waiting: SpinLock<Queue<()>>,
}

/// The result of [`RawOnce::begin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// The caller is the runner now: it runs its closure, and then calls `finish`.
    Ours {
        /// Whether an earlier runner has panicked.
        poisoned: bool,
    },
    /// An earlier runner has completed.
    Complete,
    /// An earlier runner has panicked.
    Poisoned,
}

impl RawOnce {
    const_fn! {
        /// A once in the state INCOMPLETE.
        pub(crate) const fn new() -> Self {
            Self { state: AtomicU32::new(INCOMPLETE), waiting: SpinLock::new(Queue::new()) }
        }
    }

    /// Whether the state is COMPLETE.
    #[inline]
    pub(crate) fn is_complete(&self) -> bool {
        self.state.load(Acquire) == COMPLETE
    }

    /// Makes the caller the runner. If another thread is the runner, waits for that one to finish
    /// first. With `force`, the caller may become the runner although an earlier one has panicked.
    #[cold]
    pub(crate) fn begin(&self, force: bool) -> Begin {
        let mut seen = self.state.load(Acquire);
        loop {
            let step = seen & STEP;
            match step {
                COMPLETE => return Begin::Complete,
                POISONED if !force => return Begin::Poisoned,
                RUNNING => {
                    self.wait_while(|step| step == RUNNING);
                    seen = self.state.load(Acquire);
                }
                _ => match self.state.compare_exchange(seen, seen & QUEUED | RUNNING, Acquire, Acquire) {
                    Ok(_) => return Begin::Ours { poisoned: step == POISONED },
                    Err(now) => seen = now,
                },
            }
        }
    }

    /// Ends the run that the calling thread has begun with `begin`. `complete` is `false` if the
    /// closure has panicked.
    pub(crate) fn finish(&self, complete: bool) {
        let step = if complete { COMPLETE } else { POISONED };
        if self.state.swap(step, AcqRel) & QUEUED != 0 {
            let wakes = self.waiting.lock().claim_all();
            drop(wakes);
        }
    }

    /// Waits until a runner has completed. Returns `false` if a runner has panicked. With `force`,
    /// it keeps waiting for another runner in that case.
    #[cold]
    pub(crate) fn wait(&self, force: bool) -> bool {
        loop {
            match self.state.load(Acquire) & STEP {
                COMPLETE => return true,
                POISONED if !force => return false,
                _ => self.wait_while(|step| step != COMPLETE && (force || step != POISONED)),
            }
        }
    }

    /// Waits for the next `finish`, unless `unsettled` returns `false` for the state.
    fn wait_while(&self, unsettled: impl Fn(u32) -> bool) {
        let waiter = Waiter::new();
        let node = Node::new(&waiter, ());
        let mut waiting = self.waiting.lock();
        let mut seen = self.state.load(Relaxed);
        loop {
            if !unsettled(seen & STEP) {
                return;
            }
            match self.state.compare_exchange_weak(seen, seen | QUEUED, Relaxed, Relaxed) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        // SAFETY: the node is in no queue. The wait has no deadline, so this function keeps the
        // node until it has been dequeued and claimed (invariant 4).
        unsafe { waiting.push(&node) };
        drop(waiting);
        waiter.wait(Reason::Once, None);
    }
}
