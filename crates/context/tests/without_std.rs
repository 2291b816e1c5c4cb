//! Without the feature `std` nothing is unwound, and a dropped suspended coroutine leaks its
//! values.

#![cfg(not(feature = "std"))]

mod common;

use std::rc::Rc;

use common::{child, has_aborted, is_child};
use greenthread_context::{Coroutine, State};

#[test]
fn values_both_ways() {
    let mut co = Coroutine::new(|co, n: u32| {
        let m = co.suspend(n + 1);
        n * m
    });
    assert_eq!(co.resume(5), State::Yielded(6));
    assert_eq!(co.resume(7), State::Returned(35));
}

#[test]
fn an_unstarted_one_drops_its_closure() {
    let kept = Rc::new(());
    let inside = kept.clone();
    drop(Coroutine::new(move |co, ()| co.suspend(Rc::strong_count(&inside))));
    assert_eq!(Rc::strong_count(&kept), 1);
}

#[test]
fn a_suspended_one_is_leaked() {
    let kept = Rc::new(());
    let inside = kept.clone();
    let mut co = Coroutine::new(move |co, ()| co.suspend(Rc::strong_count(&inside)));
    assert_eq!(co.next(), Some(2));
    drop(co);
    assert_eq!(Rc::strong_count(&kept), 2);
}

#[test]
fn a_panic_ends_the_process() {
    if is_child() {
        Coroutine::<(), (), ()>::new(|_, ()| panic!("nobody catches this")).next();
        unreachable!();
    }
    let output = child("a_panic_ends_the_process");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(has_aborted(output.status), "{}: {text}", output.status);
    assert!(text.contains("nobody catches this") && !text.contains("unreachable"), "{text}");
}
