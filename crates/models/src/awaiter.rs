//! The wait of a future: one thread claims it while another one polls it again, or drops it. The
//! library's own file (`task/awaiter.rs`) can't run here, since it stands on std's `Arc` and
//! `Waker`. So this is its protocol in words of its own, over the library's states. A buffer and a
//! queue, each with one place, stand for whatever is awaited: a message, a permit, a thread's end.

use std::sync::Arc;

use loom::{
    cell::UnsafeCell,
    sync::atomic::{AtomicUsize, Ordering::AcqRel},
};

use crate::{
    atomic::Bug,
    harness::{Driver, check, finds, spawn},
    library::state::{Claimed, Outcome, WaitState},
    locks::spin::SpinLock,
};

/// What becomes of the future after its first poll.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// It is polled again, with another waker, until it is ready.
    Polled,
    Dropped,
    /// It is polled once more, and dropped if it is not ready.
    PolledAndDropped,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// A poll looks for a claim before it leaves its waker.
    LooksFirst,
    /// A drop gives back the claim's reference whether or not there is a claim.
    AlwaysTakesBack,
    /// A drop never does.
    NeverTakesBack,
    /// A drop does not look whether it was given something.
    LosesTheGift,
    /// A claimer gives its reference back, and then fires the wake-up.
    ReleasesFirst,
    /// Others know of the waiter before it has parked.
    ParksLate,
}

struct Awaiter {
    state: WaitState,
    /// Which of the future's wakers is the last one.
    waker: SpinLock<Option<usize>>,
    /// What the claimer hands over.
    gift: UnsafeCell<u32>,
    references: AtomicUsize,
    /// The allocation: whether it is there. Loom sees whether it is freed while it is used.
    alive: UnsafeCell<bool>,
}

/// What both threads know of.
struct Shared {
    /// The buffer, and whether the awaiter is in the queue.
    lists: SpinLock<(Option<u32>, bool)>,
    awaiter: Awaiter,
    /// The executors of the future: the wakers of the first poll, and of others.
    executors: [Arc<Driver>; 2],
    mistake: Mistake,
}

impl Shared {
    fn new(mistake: Mistake) -> Self {
        let awaiter = Awaiter {
            state: WaitState::new(),
            waker: SpinLock::new(Some(0)),
            gift: UnsafeCell::new(0),
            references: AtomicUsize::new(1),
            alive: UnsafeCell::new(true),
        };
        let executors = [Driver::new(), Driver::new()];
        Self { lists: SpinLock::new((None, false)), awaiter, executors, mistake }
    }

    /// The awaiter, of which the caller must have a reference.
    fn used(&self) -> &Awaiter {
        // SAFETY: loom reports a race.
        assert!(self.awaiter.alive.with(|alive| unsafe { *alive }), "it is used after its end");
        &self.awaiter
    }

    fn release(&self) {
        if self.used().references.fetch_sub(1, AcqRel) == 1 {
            // SAFETY: loom reports a race.
            self.awaiter.alive.with_mut(|alive| unsafe { *alive = false });
        }
    }

    /// The claimer gives 7 to the future if it waits, and else to the buffer.
    fn give(&self) {
        let mut lists = self.lists.lock();
        if !std::mem::take(&mut lists.1) {
            lists.0 = Some(7);
            return;
        }
        let awaiter = self.used();
        // SAFETY: loom reports a race.
        awaiter.gift.with_mut(|gift| unsafe { *gift = 7 });
        assert!(awaiter.state.claim(Outcome::Woken) == Claimed::Parked, "it is claimed before it parks");
        drop(lists);
        if self.mistake == Mistake::ReleasesFirst {
            self.release();
        }
        let waker = self.used().waker.lock().take();
        if let Some(waker) = waker {
            self.executors[waker].wake();
        }
        if self.mistake != Mistake::ReleasesFirst {
            self.release();
        }
    }

    /// The first poll. Returns what is there, if there is something, and else waits.
    fn enlist(&self) -> Option<u32> {
        let mut lists = self.lists.lock();
        if let Some(value) = lists.0.take() {
            return Some(value);
        }
        self.awaiter.references.fetch_add(1, AcqRel);
        lists.1 = true;
        if self.mistake == Mistake::ParksLate {
            drop(lists);
        }
        _ = self.awaiter.state.park();
        None
    }

    /// A further poll.
    fn poll(&self) -> Option<u32> {
        let awaiter = self.used();
        let was_claimed = awaiter.state.outcome().is_some();
        *awaiter.waker.lock() = Some(1);
        let is_claimed =
            if self.mistake == Mistake::LooksFirst { was_claimed } else { awaiter.state.outcome().is_some() };
        // SAFETY: loom reports a race.
        is_claimed.then(|| awaiter.gift.with(|gift| unsafe { *gift }))
    }

    /// The future is dropped before it was ready. What it was given goes into the buffer.
    fn abandon(&self) {
        let mut lists = self.lists.lock();
        let was_queued = std::mem::take(&mut lists.1);
        if !was_queued && self.mistake != Mistake::LosesTheGift {
            // SAFETY: loom reports a race.
            lists.0 = Some(self.used().gift.with(|gift| unsafe { *gift }));
        }
        drop(lists);
        let takes_back = match self.mistake {
            Mistake::AlwaysTakesBack => true,
            Mistake::NeverTakesBack => false,
            _ => was_queued,
        };
        if takes_back {
            self.release();
        }
    }
}

fn awaits(then: Then, mistake: Mistake) {
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    let shared = Arc::new(Shared::new(mistake));
    let giver = {
        let shared = shared.clone();
        spawn(move || shared.give())
    };
    let mut got = shared.enlist();
    if got.is_none() && then != Then::Dropped {
        got = shared.poll();
    }
    while got.is_none() && then == Then::Polled {
        shared.executors[1].sleep();
        got = shared.poll();
    }
    if got.is_none() {
        shared.abandon();
    }
    shared.release();
    giver.join();
    assert_eq!(got.or(shared.lists.lock().0), Some(7), "it is lost");
    // SAFETY: loom reports a race.
    assert!(!shared.awaiter.alive.with(|alive| unsafe { *alive }), "it is never freed");
}

#[test]
fn a_claim_is_seen_and_the_awaiter_freed_once() {
    for then in [Then::Polled, Then::Dropped, Then::PolledAndDropped] {
        check(None, move || awaits(then, Mistake::None));
    }
}

#[test]
fn finds_a_poll_that_looks_too_early() {
    finds(Bug::None, "deadlock", || awaits(Then::Polled, Mistake::LooksFirst));
}

#[test]
fn finds_a_drop_that_takes_back_too_much() {
    finds(Bug::None, "", || awaits(Then::Dropped, Mistake::AlwaysTakesBack));
}

#[test]
fn finds_a_drop_that_leaks() {
    finds(Bug::None, "it is never freed", || awaits(Then::PolledAndDropped, Mistake::NeverTakesBack));
}

#[test]
fn finds_a_drop_that_loses_what_was_given() {
    finds(Bug::None, "it is lost", || awaits(Then::Dropped, Mistake::LosesTheGift));
}

#[test]
fn finds_a_wake_up_that_is_fired_too_late() {
    finds(Bug::None, "", || awaits(Then::Dropped, Mistake::ReleasesFirst));
}

#[test]
fn finds_a_waiter_that_parks_too_late() {
    finds(Bug::None, "claimed before it parks", || awaits(Then::Polled, Mistake::ParksLate));
}

#[test]
fn finds_a_state_that_releases_nothing() {
    finds(Bug::NoRelease, "", || awaits(Then::Polled, Mistake::None));
}
