//! `task::wait` for the library's locks: the library's own states, and a driver of the model's to
//! sleep in.
//!
//! A deadline may pass at any moment: a wait that has one looks for its wake-up once, and then it
//! times out.

/// Always the first: a model must hold for any choice.
pub(crate) mod worker_core {
    pub(crate) fn random_below(_: usize) -> usize {
        0
    }
}

/// A thread's waits are cancelled if the model says so. How the thread learns of it is the business
/// of other models (`notes`, `cancel`).
pub(crate) mod cancel {
    use std::{
        cell::Cell,
        panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    };

    /// When a wait is cancelled that is a cancellation point.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Moment {
        Never,
        /// Before the thread parks.
        Awake,
        /// When the thread has parked, unless it has been woken by then.
        Parked,
    }

    loom::thread_local! {
        static MOMENT: Cell<Moment> = Cell::new(Moment::Never);
    }

    struct Cancelled;

    pub(super) fn moment() -> Moment {
        MOMENT.with(Cell::get)
    }

    /// Calls `f` on a thread whose waits are cancelled. `None` if it was unwound.
    pub(crate) fn cancelled<T>(moment: Moment, f: impl FnOnce() -> T) -> Option<T> {
        MOMENT.with(|cell| cell.set(moment));
        let result = catch_unwind(AssertUnwindSafe(f));
        MOMENT.with(|cell| cell.set(Moment::Never));
        match result {
            Ok(value) => Some(value),
            Err(payload) if payload.is::<Cancelled>() => None,
            Err(payload) => resume_unwind(payload),
        }
    }

    pub(crate) fn unwind() -> ! {
        assert_ne!(moment(), Moment::Never, "the thread is not cancelled");
        resume_unwind(Box::new(Cancelled))
    }
}

/// A yield does nothing: between OS threads it doesn't matter.
pub(crate) mod coop {
    pub(crate) const CALL: u32 = 1;
    pub(crate) fn consume_budget(_: u32) {}
}

/// The operating system's: no model depends on how much time passes.
pub(crate) mod time {
    use std::time::{Duration, Instant};

    pub(crate) fn now() -> Instant {
        Instant::now()
    }

    pub(crate) fn deadline_after(timeout: Duration) -> Option<Instant> {
        now().checked_add(timeout)
    }
}

pub(crate) mod wait {
    use std::{cell::Cell, sync::Arc, time::Instant};

    use loom::cell::UnsafeCell;

    use super::cancel::{Moment, moment};
    pub(crate) use crate::library::state::Outcome;
    use crate::{
        harness::Driver,
        library::state::{Claimed, WaitState},
    };

    #[derive(Clone, Copy, Debug)]
    pub(crate) enum Reason {
        Mutex,
        Read,
        Write,
        Condvar,
        Once,
        Semaphore,
        Receive,
        Send,
        Select,
    }

    pub(crate) struct Waiter {
        state: WaitState,
        /// Loom sees whether this cell is written and read at the same time.
        sleeper: UnsafeCell<Option<Arc<Driver>>>,
    }

    #[derive(Debug)]
    pub(crate) enum Claim {
        Lost,
        Won(Option<Wake>),
    }

    #[derive(Debug)]
    pub(crate) struct Wake(*const Waiter);

    std::thread_local! {
        /// Whether the threads of the model park as soon as they may.
        pub(crate) static EARLY: Cell<bool> = const { Cell::new(false) };
    }

    /// As the library's.
    pub(crate) struct Parked(Arc<Driver>);

    impl Waiter {
        pub(crate) fn new() -> Self {
            Self { state: WaitState::new(), sleeper: UnsafeCell::new(None) }
        }

        pub(crate) fn wait(&self, _: Reason, deadline: Option<Instant>) -> bool {
            self.wait_for(deadline, Moment::Never) == Some(Outcome::Woken)
        }

        pub(crate) fn wait_cancellable(&self, reason: Reason, deadline: Option<Instant>) -> Outcome {
            if let Some(outcome) = self.wait_interruptible(reason, deadline) {
                return outcome;
            }
            match self.state.claim(Outcome::Cancelled) {
                Claimed::Awake | Claimed::Parked => Outcome::Cancelled,
                Claimed::Lost => self.state.outcome().expect("another claim has been made"),
            }
        }

        pub(crate) fn wait_interruptible(&self, _: Reason, deadline: Option<Instant>) -> Option<Outcome> {
            self.wait_for(deadline, moment())
        }

        fn wait_for(&self, deadline: Option<Instant>, moment: Moment) -> Option<Outcome> {
            if self.state.is_settled()
                && let Some(outcome) = self.state.outcome()
            {
                return Some(outcome);
            }
            if moment == Moment::Awake {
                return None;
            }
            let driver = Driver::new();
            // SAFETY: loom reports a race.
            self.sleeper.with_mut(|sleeper| unsafe { *sleeper = Some(driver.clone()) });
            if let Some(outcome) = self.state.park() {
                return Some(outcome);
            }
            if moment == Moment::Parked {
                if self.state.interrupt() {
                    // SAFETY: loom reports a race.
                    self.sleeper.with_mut(|sleeper| unsafe { *sleeper = None });
                    return None;
                }
                driver.sleep();
            } else if deadline.is_none() {
                driver.sleep();
            } else if !driver.take() {
                match self.state.claim(Outcome::TimedOut) {
                    Claimed::Parked => return Some(Outcome::TimedOut),
                    _ => driver.sleep(),
                }
            }
            Some(self.state.outcome().expect("a parked thread is resumed by a claim only"))
        }

        /// # Safety
        /// As in the library.
        pub(crate) unsafe fn park_early(&self, deadline: Option<Instant>) -> Option<Parked> {
            if deadline.is_some() || !EARLY.get() || moment() == Moment::Awake {
                return None;
            }
            let driver = Driver::new();
            // SAFETY: loom reports a race.
            self.sleeper.with_mut(|sleeper| unsafe { *sleeper = Some(driver.clone()) });
            self.state.park_for_one();
            Some(Parked(driver))
        }

        pub(crate) fn wait_from(
            &self,
            parked: Option<Parked>,
            reason: Reason,
            deadline: Option<Instant>,
        ) -> Option<Outcome> {
            let Some(parked) = parked else { return self.wait_interruptible(reason, deadline) };
            if moment() == Moment::Parked && self.state.interrupt() {
                return None;
            }
            parked.0.sleep();
            Some(self.state.outcome().expect("a parked thread is resumed by a claim only"))
        }

        pub(crate) fn await_claim(&self, _: Reason) {
            // SAFETY: loom reports a race.
            match self.sleeper.with(|sleeper| unsafe { (*sleeper).clone() }) {
                Some(driver) => driver.sleep(),
                None => {
                    while self.state.outcome() != Some(Outcome::Woken) {
                        loom::thread::yield_now();
                    }
                }
            }
        }

        /// # Safety
        /// As in the library.
        pub(crate) unsafe fn claim(waiter: *const Waiter, outcome: Outcome) -> Claim {
            // SAFETY: alive, says the caller.
            match unsafe { &(*waiter).state }.claim(outcome) {
                Claimed::Lost => Claim::Lost,
                Claimed::Awake => Claim::Won(None),
                Claimed::Parked => Claim::Won(Some(Wake(waiter))),
            }
        }

        pub(crate) fn reset(&self) -> bool {
            self.state.reset()
        }
    }

    impl Drop for Wake {
        fn drop(&mut self) {
            // SAFETY: alive until its wake-up is paid; loom reports a race.
            let driver = unsafe { (*self.0).sleeper.with(|sleeper| (*sleeper).clone()) };
            driver.expect("a waiter says who it is before it parks").wake();
        }
    }
}
