//! A join whose thread is cancelled, or out of time, at the moment at which the other thread ends.
//! The library's own file (`task/job.rs`) can't run here. So this is its protocol in words of its
//! own, over the library's states: the end of a thread is one word, which holds the joiner's
//! address while it waits, and a joiner that gives up takes it out again.

use std::sync::Arc;

use loom::cell::UnsafeCell;

use crate::{
    atomic::{
        AtomicUsize, Bug,
        Ordering::{AcqRel, Acquire},
    },
    harness::{Driver, check, finds, spawn},
    library::state::{Claimed, Outcome, WaitState},
};

const RUNNING: usize = 0;
const JOINED: usize = 1;
const ENDED: usize = 2;

/// Why the joiner goes on without having been woken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// It never does.
    Never,
    /// It was cancelled before it parked.
    Cancelled,
    /// Its worker has interrupted it.
    Interrupted,
    /// The deadline of a scope has ended its wait by a claim.
    Deadline,
}

/// A mistake of the joiner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// It goes without having taken itself back.
    LeavesItself,
    /// It can't take itself back, and goes although the other one is about to wake it.
    DoesNotWait,
    /// It goes on parked, so that the other one owes it a wake-up.
    StaysParked,
    /// It waits for a wake-up that nobody owes.
    WaitsTwice,
}

struct Job {
    end: AtomicUsize,
    result: UnsafeCell<u32>,
    /// The joiner's frame. Loom sees whether it is touched after the joiner has gone.
    waiter: UnsafeCell<WaitState>,
    driver: Arc<Driver>,
}

impl Job {
    fn run(&self) {
        // SAFETY: loom reports a race.
        self.result.with_mut(|result| unsafe { *result = 7 });
        if self.end.swap(ENDED, AcqRel) == JOINED {
            // SAFETY: loom reports a race.
            let sleeps = self.waiter.with(|waiter| unsafe { (*waiter).post() });
            if sleeps {
                self.driver.wake();
            }
        }
    }

    /// Returns the result, if the thread has ended.
    fn join(&self, why: Why, mistake: Mistake) -> Option<u32> {
        if self.end.compare_exchange(RUNNING, JOINED, AcqRel, Acquire).is_err() {
            return Some(self.result());
        }
        if !self.wait(why, mistake) {
            let taken_back = mistake != Mistake::LeavesItself
                && self.end.compare_exchange(JOINED, RUNNING, AcqRel, Acquire).is_ok();
            if taken_back || mistake == Mistake::LeavesItself || mistake == Mistake::DoesNotWait {
                self.leave();
                return None;
            }
            if mistake == Mistake::WaitsTwice {
                self.driver.sleep();
            }
            // As `await_post`.
            while self.outcome() != Some(Outcome::Woken) {
                loom::thread::yield_now();
            }
        }
        self.leave();
        Some(self.result())
    }

    /// Whether it was woken.
    fn wait(&self, why: Why, mistake: Mistake) -> bool {
        if why == Why::Cancelled {
            return false;
        }
        // SAFETY: loom reports a race.
        if self.waiter.with(|waiter| unsafe { (*waiter).park() }).is_some() {
            return true;
        }
        // SAFETY: loom reports a race.
        let has_left = self.waiter.with(|waiter| unsafe {
            match why {
                Why::Deadline => (*waiter).claim(Outcome::TimedOut) != Claimed::Lost,
                Why::Interrupted => mistake == Mistake::StaysParked || (*waiter).interrupt(),
                Why::Cancelled | Why::Never => false,
            }
        });
        if !has_left {
            self.driver.sleep();
        }
        !has_left
    }

    fn outcome(&self) -> Option<Outcome> {
        // SAFETY: loom reports a race.
        self.waiter.with(|waiter| unsafe { (*waiter).outcome() })
    }

    /// The joiner's frame goes.
    fn leave(&self) {
        // SAFETY: loom reports a race.
        self.waiter.with_mut(|_| {});
    }

    fn result(&self) -> u32 {
        // SAFETY: loom reports a race.
        self.result.with(|result| unsafe { *result })
    }
}

fn join(why: Why, mistake: Mistake) {
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    let job = Arc::new(Job {
        end: AtomicUsize::new(RUNNING),
        result: UnsafeCell::new(0),
        waiter: UnsafeCell::new(WaitState::new()),
        driver: Driver::new(),
    });
    let thread = {
        let job = job.clone();
        spawn(move || job.run())
    };
    if let Some(result) = job.join(why, mistake) {
        assert_eq!(result, 7);
    }
    thread.join();
    assert_eq!(job.result(), 7);
    assert!(!job.driver.take(), "a wake-up is left");
}

#[test]
fn an_end_is_seen_or_the_joiner_is_gone() {
    for why in [Why::Never, Why::Cancelled, Why::Interrupted, Why::Deadline] {
        check(None, move || join(why, Mistake::None));
    }
}

#[test]
fn finds_a_joiner_that_leaves_itself() {
    finds(Bug::None, "Causality violation", || join(Why::Interrupted, Mistake::LeavesItself));
}

#[test]
fn finds_a_joiner_that_does_not_wait() {
    finds(Bug::None, "", || join(Why::Cancelled, Mistake::DoesNotWait));
}

#[test]
fn finds_a_joiner_that_stays_parked() {
    finds(Bug::None, "", || join(Why::Interrupted, Mistake::StaysParked));
}

#[test]
fn finds_a_joiner_that_waits_twice() {
    finds(Bug::None, "deadlock", || join(Why::Deadline, Mistake::WaitsTwice));
}

#[test]
fn finds_an_end_that_tears() {
    finds(Bug::TornExchange, "", || join(Why::Interrupted, Mistake::None));
}
