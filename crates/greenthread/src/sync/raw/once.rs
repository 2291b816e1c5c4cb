//! The states of something that is done once, and the only ways from one to the next.
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
//! Invariants:
//! 1. RUNNING is set by one thread, which alone leaves it. COMPLETE is left by nobody.
//! 2. `finish` releases what was done, and whoever sees COMPLETE acquires it.
//! 3. QUEUED is set under the queue's lock, by a thread that queues itself before it gives that
//!    lock back; `finish` clears it, and if it was set takes the lock and wakes the whole queue. No
//!    wake-up is lost; one may come too early, so those who are woken look again.
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
const STEP: u32 = 3;
const QUEUED: u32 = 4;

/// Something that is done once.
pub(crate) struct RawOnce {
    state: AtomicU32,
    waiting: SpinLock<Queue<()>>,
}

/// What a thread finds that wants it done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// It is for this thread to do, and to `finish`.
    Ours {
        /// Who tried before has panicked.
        poisoned: bool,
    },
    /// It is done.
    Complete,
    /// Who tried has panicked.
    Poisoned,
}

impl RawOnce {
    const_fn! {
        /// Something that has not been done.
        pub(crate) const fn new() -> Self {
            Self { state: AtomicU32::new(INCOMPLETE), waiting: SpinLock::new(Queue::new()) }
        }
    }

    /// Whether it is done.
    #[inline]
    pub(crate) fn is_complete(&self) -> bool {
        self.state.load(Acquire) == COMPLETE
    }

    /// Begins, or waits for whoever has begun. With `force`, a panic before is no obstacle.
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

    /// Ends what `begin` has begun, by this thread; `complete` or by a panic.
    pub(crate) fn finish(&self, complete: bool) {
        let step = if complete { COMPLETE } else { POISONED };
        if self.state.swap(step, AcqRel) & QUEUED != 0 {
            let wakes = self.waiting.lock().claim_all();
            drop(wakes);
        }
    }

    /// Waits until it is done; `false` if whoever tried has panicked. With `force`, waits on for
    /// somebody else to try.
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

    /// Waits for the next `finish`, if `unsettled` holds for the state.
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
        // SAFETY: it stays until it has been taken out and claimed, as the wait has no deadline
        // (invariant 4).
        unsafe { waiting.push(&node) };
        drop(waiting);
        waiter.wait(Reason::Once, None);
    }
}
