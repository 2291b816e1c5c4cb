//! The condition variable: a notification reaches a thread that waits, whatever else happens.

use std::{sync::Arc, time::Instant};

use crate::{
    atomic::Bug,
    harness::{check, finds, spawn},
    library::sync::{raw::condvar::RawCondvar, raw::mutex::RawMutex},
    locks::{Guarded, WORKER_ID},
};

struct Pair {
    mutex: RawMutex,
    condvar: RawCondvar,
    value: Guarded,
}

impl Pair {
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    fn new() -> Arc<Self> {
        Arc::new(Self { mutex: RawMutex::new(), condvar: RawCondvar::new(), value: Guarded::new() })
    }

    fn locked<R>(&self, f: impl FnOnce() -> R) -> R {
        self.mutex.lock(WORKER_ID);
        let result = f();
        // SAFETY: just locked, and `f` leaves it so.
        unsafe { self.mutex.unlock() };
        result
    }

    /// The caller holds the mutex.
    fn wait(&self, deadline: Option<Instant>) -> bool {
        // SAFETY: held, says the caller.
        unsafe { self.condvar.wait(&self.mutex, WORKER_ID, deadline) }
    }

    /// Waits until the value is there.
    fn wait_for(&self, value: u32) {
        self.locked(|| {
            while self.value.read() != value {
                self.wait(None);
            }
        });
    }
}

/// A mistake of the notifier.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// It notifies first.
    NotifiesEarly,
    /// It wakes one where all must go on.
    NotifiesOne,
}

/// `waiters` threads wait for a condition that another makes true.
fn notify(waiters: usize, mistake: Mistake) {
    let pair = Pair::new();
    let others: Vec<_> = (0..waiters)
        .map(|_| {
            let pair = pair.clone();
            spawn(move || pair.wait_for(1))
        })
        .collect();
    let notify = || match mistake {
        Mistake::NotifiesOne => pair.condvar.notify_one(),
        _ if waiters == 1 => pair.condvar.notify_one(),
        _ => pair.condvar.notify_all(),
    };
    if mistake == Mistake::NotifiesEarly {
        notify();
    }
    pair.locked(|| pair.value.add_one());
    if mistake != Mistake::NotifiesEarly {
        notify();
    }
    others.into_iter().for_each(|other| other.join());
}

#[test]
fn a_notification_is_not_lost() {
    check(Some(3), || notify(1, Mistake::None));
}

#[test]
fn all_are_notified() {
    check(Some(2), || notify(2, Mistake::None));
}

#[test]
fn finds_a_notification_that_comes_early() {
    finds(Bug::None, "deadlock", || notify(1, Mistake::NotifiesEarly));
}

#[test]
fn finds_one_notified_instead_of_all() {
    finds(Bug::None, "deadlock", || notify(2, Mistake::NotifiesOne));
}

#[test]
fn finds_a_mutex_that_releases_nothing() {
    finds(Bug::NoRelease, "Causality violation", || notify(1, Mistake::None));
}

#[test]
fn finds_a_torn_exchange() {
    finds(Bug::TornExchange, "", || notify(1, Mistake::None));
}

/// Two threads wait, and one of them has a deadline, which may pass as the only notification comes.
/// If that thread was notified, it notifies the other one. With `swallows` it doesn't.
fn deadline(swallows: bool) {
    let pair = Pair::new();
    let hasty = {
        let pair = pair.clone();
        spawn(move || {
            let wait = || pair.value.read() == 0 && pair.wait(Some(Instant::now()));
            if pair.locked(wait) && !swallows {
                pair.condvar.notify_one();
            }
        })
    };
    let patient = {
        let pair = pair.clone();
        spawn(move || pair.wait_for(1))
    };
    pair.locked(|| pair.value.add_one());
    pair.condvar.notify_one();
    hasty.join();
    patient.join();
}

#[test]
fn a_deadline_swallows_no_notification() {
    check(Some(2), || deadline(false));
}

#[test]
fn finds_a_notification_that_is_swallowed() {
    finds(Bug::None, "deadlock", || deadline(true));
}
