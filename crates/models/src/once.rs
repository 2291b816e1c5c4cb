//! The once: one thread runs the closure, all see its effects, and none waits in vain.

use std::sync::Arc;

use crate::{
    atomic::Bug,
    harness::{check, finds, spawn},
    library::sync::raw::once::{Begin, RawOnce},
    locks::Guarded,
};

struct Once {
    raw: RawOnce,
    value: Guarded,
}

impl Once {
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    fn new() -> Arc<Self> {
        Arc::new(Self { raw: RawOnce::new(), value: Guarded::new() })
    }

    fn call(&self) {
        if !self.raw.is_complete()
            && let Begin::Ours { .. } = self.raw.begin(true)
        {
            self.value.add_one();
            self.raw.finish(true);
        }
        assert_eq!(self.value.read(), 1, "not done, or more than once");
    }

    fn call_and_panic(&self) {
        if let Begin::Ours { .. } = self.raw.begin(true) {
            self.raw.finish(false);
        }
    }
}

/// Three threads call it.
fn call() {
    let once = Once::new();
    let others = [(); 2].map(|()| {
        let once = once.clone();
        spawn(move || once.call())
    });
    once.call();
    others.into_iter().for_each(|other| other.join());
}

/// One thread runs the closure, and another waits for it. A third may panic in it before.
fn wait(fails: bool) {
    let once = Once::new();
    let waiter = {
        let once = once.clone();
        spawn(move || {
            assert!(once.raw.wait(true));
            assert_eq!(once.value.read(), 1);
        })
    };
    let failing = fails.then(|| {
        let once = once.clone();
        spawn(move || once.call_and_panic())
    });
    once.call();
    waiter.join();
    if let Some(failing) = failing {
        failing.join();
    }
}

/// A waiter is told of the panic.
fn poison() {
    let once = Once::new();
    let waiter = {
        let once = once.clone();
        spawn(move || assert!(!once.raw.wait(false)))
    };
    once.call_and_panic();
    assert_eq!(once.raw.begin(false), Begin::Poisoned);
    waiter.join();
}

#[test]
fn it_is_done_once() {
    check(Some(2), call);
}

#[test]
fn it_is_waited_for() {
    check(None, || wait(false));
}

#[test]
fn one_waits_through_a_panic() {
    check(Some(2), || wait(true));
}

#[test]
fn a_panic_is_told() {
    check(None, poison);
}

#[test]
fn finds_an_end_that_releases_nothing() {
    finds(Bug::NoRelease, "Causality violation", || wait(false));
}

#[test]
fn finds_a_caller_that_acquires_nothing() {
    finds(Bug::NoAcquire, "Causality violation", || wait(false));
}

#[test]
fn finds_a_torn_exchange() {
    finds(Bug::TornExchange, "", call);
}

#[test]
fn finds_an_end_that_forgets_who_waits() {
    finds(Bug::TornSwap, "deadlock", || wait(false));
}
