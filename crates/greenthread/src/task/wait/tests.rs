//! Waits that are cancelled: before they begin, while an OS thread sleeps, and while a green thread
//! does.

use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::{Duration, Instant},
};

use super::{super::state::WaitState, *};
use crate::{runtime::Runtime, thread};

const OUTCOMES: [Outcome; 3] = [Outcome::Woken, Outcome::TimedOut, Outcome::Cancelled];

fn claim(waiter: &Waiter, outcome: Outcome) -> Claim {
    // SAFETY: the waiter is borrowed, and if its owner waits, it waits at a cancellation point.
    unsafe { Waiter::claim(waiter, outcome) }
}

#[test]
fn the_first_claim_counts() {
    for first in OUTCOMES {
        for parked in [false, true] {
            let state = WaitState::new();
            assert!(!parked || state.park().is_none());
            assert_eq!(state.claim(first), if parked { Claimed::Parked } else { Claimed::Awake });
            for later in OUTCOMES {
                assert_eq!(state.claim(later), Claimed::Lost);
            }
            assert!(state.is_settled());
            assert_eq!((state.outcome(), state.park()), (Some(first), Some(first)));
            // Only a wake-up is left for the next wait.
            assert_eq!(state.reset(), first == Outcome::Woken);
            assert_eq!((state.outcome(), state.park()), (None, None));
        }
    }
}

#[test]
fn a_token_is_kept_whatever_ended_the_wait() {
    for first in OUTCOMES {
        let state = WaitState::new();
        state.claim(first);
        assert!(!state.post());
        assert_eq!(state.park(), Some(Outcome::Woken));
        assert!(state.reset());
    }
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "a wait for one claimer")]
fn a_wait_for_one_claimer_is_not_cancelled() {
    let state = WaitState::new();
    state.park_for_one();
    state.claim(Outcome::Cancelled);
}

#[test]
fn a_wait_that_was_cancelled_before_does_not_begin() {
    let waiter = Waiter::new();
    assert!(matches!(claim(&waiter, Outcome::Cancelled), Claim::Won(None)));
    assert_eq!(waiter.wait_cancellable(Reason::Park, None), Outcome::Cancelled);
    let on_a_worker = || {
        waiter.reset();
        assert!(matches!(claim(&waiter, Outcome::Cancelled), Claim::Won(None)));
        waiter.wait_cancellable(Reason::Park, None)
    };
    assert_eq!(crate::run(on_a_worker), Outcome::Cancelled);
}

#[test]
fn an_os_thread_is_cancelled() {
    let (waiter, begun) = (Waiter::new(), AtomicBool::new(false));
    std::thread::scope(|s| {
        let sleeper = s.spawn(|| {
            begun.store(true, SeqCst);
            let outcome = waiter.wait_cancellable(Reason::Park, None);
            // The wake-up is not left for the next wait.
            let soon = Instant::now() + Duration::from_millis(1);
            (outcome, Waiter::new().wait_cancellable(Reason::Park, Some(soon)))
        });
        while !begun.load(SeqCst) {
            std::thread::yield_now();
        }
        // By then it usually sleeps.
        std::thread::sleep(Duration::from_millis(2));
        assert!(matches!(claim(&waiter, Outcome::Cancelled), Claim::Won(_)));
        assert_eq!(sleeper.join().unwrap(), (Outcome::Cancelled, Outcome::TimedOut));
    });
}

#[test]
fn a_green_thread_is_cancelled_and_its_timer_goes() {
    let runtime = Runtime::builder().workers(1).build().unwrap();
    for deadline in [None, Some(Instant::now() + Duration::from_secs(3600))] {
        let (waiter, begun) = (Waiter::new(), AtomicBool::new(false));
        let has_timers = || {
            let (core, _) = worker_core::current().expect("a green thread");
            // SAFETY: a running thread may look at its worker's timers while it doesn't switch.
            unsafe { !(*core.timers.get()).is_empty() }
        };
        runtime.run(|| {
            thread::scope(|s| {
                let sleeper = s.spawn(|| {
                    begun.store(true, SeqCst);
                    waiter.wait_cancellable(Reason::Park, deadline)
                });
                while !begun.load(SeqCst) {
                    thread::yield_now();
                }
                assert_eq!(has_timers(), deadline.is_some());
                // This thread runs on the one worker, so the other one sleeps.
                assert!(matches!(claim(&waiter, Outcome::Cancelled), Claim::Won(Some(_))));
                assert!(matches!(claim(&waiter, Outcome::Woken), Claim::Lost));
                assert_eq!(sleeper.join().unwrap(), Outcome::Cancelled);
                assert!(!has_timers());
            });
        });
    }
}
