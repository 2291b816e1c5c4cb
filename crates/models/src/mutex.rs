//! The mutex: it excludes, and no thread sleeps at a free lock.

use std::{sync::Arc, time::Instant};

use crate::{
    atomic::Bug,
    harness::{check, finds, spawn},
    library::sync::raw::mutex::RawMutex,
    locks::{Guarded, WANTS_HANDOVER, WORKER_ID},
};

struct Mutex {
    raw: RawMutex,
    value: Guarded,
}

impl Mutex {
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    fn new() -> Arc<Self> {
        Arc::new(Self { raw: RawMutex::new(), value: Guarded::new() })
    }

    fn add_one(&self) {
        self.raw.lock(WORKER_ID);
        self.value.add_one();
        // SAFETY: just locked.
        unsafe { self.raw.unlock() };
    }

    /// Adds one if it gets the lock before a deadline. Returns whether it has.
    fn add_one_in_time(&self) -> bool {
        let locked = self.raw.lock_until(WORKER_ID, Some(Instant::now()));
        if locked {
            self.value.add_one();
            // SAFETY: just locked.
            unsafe { self.raw.unlock() };
        }
        locked
    }
}

/// Each thread adds one as often as `times` says.
fn add(times: &[u32]) {
    let mutex = Mutex::new();
    let others: Vec<_> = times[1..]
        .iter()
        .map(|&times| {
            let mutex = mutex.clone();
            spawn(move || (0..times).for_each(|_| mutex.add_one()))
        })
        .collect();
    (0..times[0]).for_each(|_| mutex.add_one());
    others.into_iter().for_each(|other| other.join());
    assert_eq!(mutex.value.read(), times.iter().sum());
    assert!(mutex.raw.try_lock(WORKER_ID), "locked by nobody");
}

#[test]
fn two_exclude_each_other() {
    check(Some(3), || add(&[2, 2]));
}

#[test]
fn three_exclude_each_other() {
    check(Some(2), || add(&[1, 1, 1]));
}

#[test]
fn a_lock_is_handed_over() {
    WANTS_HANDOVER.set(true);
    // The first thread locks again right after it has handed the lock over.
    check(Some(3), || add(&[3, 1]));
    check(Some(2), || add(&[2, 1, 1]));
}

/// One thread may give up. The others get the lock.
fn give_up() {
    let mutex = Mutex::new();
    let other = mutex.clone();
    let one = spawn(move || {
        other.add_one_in_time();
    });
    let patient = mutex.clone();
    let two = spawn(move || patient.add_one());
    mutex.add_one();
    one.join();
    two.join();
    assert!(matches!(mutex.value.read(), 2 | 3));
    assert!(mutex.raw.try_lock(WORKER_ID), "locked by nobody");
}

#[test]
fn giving_up_harms_nobody() {
    check(Some(2), give_up);
}

#[test]
fn giving_up_harms_nobody_who_is_handed_the_lock() {
    WANTS_HANDOVER.set(true);
    check(Some(2), give_up);
}

#[test]
fn finds_an_unlock_that_releases_nothing() {
    finds(Bug::NoRelease, "Causality violation", || add(&[1, 1]));
}

#[test]
fn finds_a_lock_that_acquires_nothing() {
    finds(Bug::NoAcquire, "Causality violation", || add(&[1, 1]));
}

#[test]
fn finds_a_torn_exchange() {
    finds(Bug::TornExchange, "", || add(&[1, 1]));
}
