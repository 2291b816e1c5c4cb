//! One wait, and the claims that may end it.

use std::sync::{Arc, OnceLock};

use loom::cell::UnsafeCell;

use crate::{
    atomic::{AtomicU32, Bug, Ordering::Relaxed},
    harness::{Driver, check, finds, spawn},
    library::state::{Claimed, Outcome, WaitState},
};

/// A waiter as in `task::waiter`: a state, and the thread that sleeps. Loom sees races on the
/// cells.
struct Wait {
    state: WaitState,
    sleeper: UnsafeCell<Option<Arc<Driver>>>,
    data: UnsafeCell<u32>,
}

impl Wait {
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    fn new() -> Arc<Self> {
        Arc::new(Self { state: WaitState::new(), sleeper: UnsafeCell::new(None), data: UnsafeCell::new(0) })
    }

    /// As `Waiter::wait`. On return the waiter may be dropped: to show that, this writes to the
    /// cell that the others have read.
    fn wait(&self, driver: &Arc<Driver>) -> Outcome {
        if self.state.is_settled()
            && let Some(outcome) = self.state.outcome()
        {
            return outcome;
        }
        self.set_sleeper(Some(driver.clone()));
        if let Some(outcome) = self.state.park() {
            return outcome;
        }
        driver.sleep();
        self.set_sleeper(None);
        self.state.outcome().expect("a parked thread is resumed by a claim only")
    }

    /// As `Waiter::wait` on an OS thread, with a deadline that may pass at any moment.
    fn wait_in_vain(&self, driver: &Arc<Driver>) -> Outcome {
        self.set_sleeper(Some(driver.clone()));
        if let Some(outcome) = self.state.park() {
            return outcome;
        }
        if !driver.take() {
            match self.state.claim(Outcome::TimedOut) {
                Claimed::Parked => return Outcome::TimedOut,
                _ => driver.sleep(),
            }
        }
        self.set_sleeper(None);
        self.state.outcome().expect("a parked thread is resumed by a claim only")
    }

    fn set_sleeper(&self, driver: Option<Arc<Driver>>) {
        // SAFETY: loom reports a race.
        self.sleeper.with_mut(|sleeper| unsafe { *sleeper = driver });
    }

    /// Fires the wake-up that a claim or a post owes.
    fn fire(&self) {
        // SAFETY: loom reports a race.
        let driver = self.sleeper.with(|sleeper| unsafe { (*sleeper).clone() });
        driver.expect("a waiter says who it is before it parks").wake();
    }

    fn claim(&self, outcome: Outcome) -> Claimed {
        let claimed = self.state.claim(outcome);
        if claimed == Claimed::Parked {
            self.fire();
        }
        claimed
    }

    fn post(&self) {
        if self.state.post() {
            self.fire();
        }
    }

    fn write(&self) {
        // SAFETY: loom reports a race.
        self.data.with_mut(|data| unsafe { *data = 1 });
    }

    fn read(&self) -> u32 {
        // SAFETY: loom reports a race.
        self.data.with(|data| unsafe { *data })
    }
}

/// A waker leaves something for the waiter, and claims it.
fn wake() {
    let (wait, driver) = (Wait::new(), Driver::new());
    let waker = {
        let wait = wait.clone();
        spawn(move || {
            wait.write();
            assert_ne!(wait.claim(Outcome::Woken), Claimed::Lost);
        })
    };
    assert_eq!(wait.wait(&driver), Outcome::Woken);
    assert_eq!(wait.read(), 1);
    waker.join();
    assert!(!driver.take(), "a stray wake-up");
}

#[test]
fn a_wake_up_is_not_lost() {
    check(None, wake);
}

#[test]
fn finds_a_claim_that_releases_nothing() {
    finds(Bug::NoRelease, "Causality violation", wake);
}

#[test]
fn finds_a_waiter_that_acquires_nothing() {
    finds(Bug::NoAcquire, "Causality violation", wake);
}

#[test]
fn finds_a_torn_exchange() {
    finds(Bug::TornExchange, "", wake);
}

/// The waiter is late and finds the claim made. It never parks.
fn look() {
    let wait = Wait::new();
    let waker = {
        let wait = wait.clone();
        spawn(move || {
            wait.write();
            assert_eq!(wait.claim(Outcome::Woken), Claimed::Awake);
        })
    };
    while wait.state.outcome().is_none() {
        loom::thread::yield_now();
    }
    assert_eq!(wait.read(), 1);
    waker.join();
}

#[test]
fn an_outcome_brings_what_its_maker_wrote() {
    check(None, look);
}

#[test]
fn finds_an_outcome_that_acquires_nothing() {
    finds(Bug::NoAcquire, "Causality violation", look);
}

/// A waker, a timer of another OS thread and a canceller claim the same wait.
fn race() {
    let (wait, driver) = (Wait::new(), Driver::new());
    let claims = [Outcome::Woken, Outcome::TimedOut, Outcome::Cancelled].map(|outcome| {
        let (wait, claimed) = (wait.clone(), Arc::new(OnceLock::new()));
        let result = claimed.clone();
        let claimer = spawn(move || result.set(wait.claim(outcome)).expect("one claim"));
        (claimer, claimed, outcome)
    });
    let seen = wait.wait(&driver);
    let claims = claims.map(|(claimer, claimed, outcome)| {
        claimer.join();
        (*claimed.get().expect("it has claimed"), outcome)
    });
    let winners: Vec<_> = claims.iter().filter(|(claimed, _)| *claimed != Claimed::Lost).collect();
    let [(claimed, outcome)] = winners[..] else { panic!("not one winner: {claims:?}") };
    assert_eq!((seen, wait.state.outcome()), (*outcome, Some(*outcome)));
    assert_eq!(driver.wakes(), usize::from(*claimed == Claimed::Parked), "as many wake-ups as owed");
    assert!(!driver.take(), "a stray wake-up");
}

#[test]
fn one_claim_wins() {
    check(Some(2), race);
}

#[test]
fn finds_torn_claims() {
    finds(Bug::TornExchange, "", race);
}

/// An OS thread's deadline passes while somebody wakes it, and it waits once more.
fn deadline() {
    let (wait, driver) = (Wait::new(), Driver::new());
    let waker = {
        let wait = wait.clone();
        spawn(move || {
            wait.write();
            wait.claim(Outcome::Woken);
        })
    };
    if wait.wait_in_vain(&driver) == Outcome::Woken {
        assert_eq!(wait.read(), 1);
    }
    assert!(!driver.take(), "a wake-up is left for the next wait");
    waker.join();
    assert!(!driver.take(), "a stray wake-up");
}

#[test]
fn a_deadline_leaves_no_wake_up_behind() {
    check(None, deadline);
}

#[test]
fn finds_a_deadline_that_tears() {
    finds(Bug::TornExchange, "", deadline);
}

/// The public park token: `park` as a wait and a reset, and two threads that unpark.
fn token() {
    let (wait, driver) = (Wait::new(), Driver::new());
    let flags = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
    for i in 0..2 {
        let (wait, flags) = (wait.clone(), flags.clone());
        spawn(move || {
            flags[i].store(1, Relaxed);
            wait.post();
        });
    }
    let mut parks = 0;
    while flags.iter().any(|flag| flag.load(Relaxed) == 0) {
        assert_eq!(wait.wait(&driver), Outcome::Woken);
        assert!(wait.state.reset(), "no token");
        parks += 1;
    }
    assert!(parks <= 2, "more tokens than unparks");
}

#[test]
fn an_unpark_is_not_lost() {
    check(Some(3), token);
}

#[test]
fn finds_an_unpark_that_a_reset_swallows() {
    finds(Bug::TornSwap, "", token);
}

#[test]
fn finds_a_token_that_acquires_nothing() {
    finds(Bug::NoAcquire, "", token);
}

/// A park whose deadline has passed, against an unpark. The token is taken now, or by the next
/// park.
fn token_and_deadline() {
    let (wait, driver) = (Wait::new(), Driver::new());
    let unparker = {
        let wait = wait.clone();
        spawn(move || wait.post())
    };
    wait.wait_in_vain(&driver);
    if !wait.state.reset() {
        assert!(!driver.take(), "a wake-up is left for the next wait");
        wait.wait(&driver);
        assert!(wait.state.reset(), "no token");
    }
    unparker.join();
    assert!(!driver.take(), "a stray wake-up");
}

#[test]
fn a_deadline_takes_no_unpark_away() {
    check(None, token_and_deadline);
}

#[test]
fn finds_a_deadline_that_takes_an_unpark_away() {
    finds(Bug::TornSwap, "", token_and_deadline);
}

/// A park that is cancelled, against an unpark: the token is taken now, or by the next park.
fn token_and_cancellation() {
    let (wait, driver) = (Wait::new(), Driver::new());
    let unparker = {
        let wait = wait.clone();
        spawn(move || wait.post())
    };
    let canceller = {
        let wait = wait.clone();
        spawn(move || _ = wait.claim(Outcome::Cancelled))
    };
    // The claim may also come when the thread doesn't wait, and be swept away with the token.
    while {
        wait.wait(&driver);
        !wait.state.reset()
    } {
        assert!(!driver.take(), "a wake-up is left for the next wait");
    }
    unparker.join();
    canceller.join();
    assert!(!driver.take(), "a stray wake-up");
}

#[test]
fn a_cancellation_takes_no_unpark_away() {
    check(Some(3), token_and_cancellation);
}

#[test]
fn finds_a_cancellation_that_takes_an_unpark_away() {
    finds(Bug::TornSwap, "", token_and_cancellation);
}

#[test]
fn two_unparks_are_one() {
    check(None, || {
        let (wait, driver) = (Wait::new(), Driver::new());
        wait.post();
        wait.post();
        assert_eq!(wait.wait(&driver), Outcome::Woken);
        assert!(wait.state.reset());
        assert_eq!(wait.wait_in_vain(&driver), Outcome::TimedOut);
        assert!(!wait.state.reset());
    });
}
