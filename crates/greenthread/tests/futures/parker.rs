//! `Parker` and `Unparker`.

use std::{task::Waker, time::Duration};

use greenthread::{
    cancel,
    sync::{Parker, Unparker},
    thread,
};

use crate::common::world::everywhere;

#[test]
fn tokens_of_its_own() {
    everywhere(|world| {
        let (one, other) = (Parker::new(), Parker::new());
        thread::current().unpark();
        let unparker = one.unparker();
        let thread = world.spawn(move || {
            unparker.unpark();
            unparker
        });
        one.park();
        assert!(!other.park_timeout(Duration::from_millis(1)));
        // The thread's own token is still there.
        thread::park();
        drop(one);
        thread.end().unpark();
    });
}

#[test]
fn as_an_address_and_as_a_waker() {
    everywhere(|world| {
        let parker = Parker::new();
        let address = parker.unparker().into_raw().expose_provenance();
        let thread = world.spawn(move || {
            // SAFETY: the address came from `into_raw`, and is turned back once.
            unsafe { Unparker::from_raw(std::ptr::with_exposed_provenance::<()>(address)) }.unpark();
        });
        parker.park();
        thread.end();
        let waker = Waker::from(parker.unparker());
        world.spawn(move || waker.wake()).end();
        parker.park();
        assert!(!parker.park_timeout(Duration::from_millis(1)));
    });
}

#[test]
fn cancelled_without_the_token() {
    everywhere(|_| {
        let parker = Parker::new();
        assert!(cancel::timeout(Duration::from_millis(1), || parker.park()).is_err());
        parker.unparker().unpark();
        parker.park();
    });
}
