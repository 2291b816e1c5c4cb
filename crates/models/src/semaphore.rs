//! The semaphore: no permit is made or lost, and no thread waits for permits that are there.

use std::{sync::Arc, time::Instant};

use crate::{
    atomic::Bug,
    harness::{check, finds, spawn},
    library::sync::raw::semaphore::RawSemaphore,
    locks::Guarded,
};

struct Semaphore {
    raw: RawSemaphore,
    value: Guarded,
}

impl Semaphore {
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    fn new(permits: usize) -> Arc<Self> {
        Arc::new(Self { raw: RawSemaphore::new(permits), value: Guarded::new() })
    }

    /// Acquires `permits` permits and releases them. A thread that has all of them may write.
    fn use_many(&self, permits: usize, alone: bool, deadline: Option<Instant>) {
        if self.raw.acquire_until(permits, deadline) {
            if alone {
                self.value.add_one();
            } else {
                self.value.read();
            }
            assert!(self.raw.release(permits));
        }
    }
}

/// One thread wants one permit, another one all, and a third one has a deadline. That is the
/// pattern of readers and writers.
fn share(deadline: bool) {
    let semaphore = Semaphore::new(2);
    let others = [(1, false), (2, true)].map(|(permits, alone)| {
        let semaphore = semaphore.clone();
        spawn(move || semaphore.use_many(permits, alone, (deadline && alone).then(Instant::now)))
    });
    semaphore.use_many(1, false, None);
    others.into_iter().for_each(|other| other.join());
    assert_eq!(semaphore.raw.available(), 2);
    assert!(semaphore.raw.try_acquire(2), "somebody is in line");
}

#[test]
fn permits_are_shared() {
    check(Some(2), || share(false));
}

#[test]
fn giving_up_harms_nobody() {
    check(Some(2), || share(true));
}

/// One thread keeps a permit until another has had one. The thread queued between them, which wants
/// two, gives up.
#[test]
fn giving_up_lets_in_who_is_behind() {
    check(Some(2), || {
        let semaphore = Semaphore::new(2);
        assert!(semaphore.raw.try_acquire(1));
        let [two, one] = [2, 1].map(|permits| {
            let semaphore = semaphore.clone();
            spawn(move || semaphore.use_many(permits, permits == 2, (permits == 2).then(Instant::now)))
        });
        one.join();
        assert!(semaphore.raw.release(1));
        two.join();
    });
}

#[test]
fn finds_a_release_that_releases_nothing() {
    finds(Bug::NoRelease, "Causality violation", || share(false));
}

#[test]
fn finds_an_acquire_that_acquires_nothing() {
    finds(Bug::NoAcquire, "Causality violation", || share(false));
}

#[test]
fn finds_a_torn_exchange() {
    finds(Bug::TornExchange, "", || share(false));
}
