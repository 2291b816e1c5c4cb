//! Scopes that coroutines enter, and are suspended in. A scope is a frame of a stack, and a
//! coroutine's stack may outlast the frames around it, or its thread.

use std::{cell::RefCell, time::Duration};

use greenthread::{
    cancel::{self, Token},
    thread,
};
use greenthread_context::{Coroutine, State, Suspender};

use crate::common::{child, is_child, runtime, text, was_aborted};

const SHORT: Duration = Duration::from_millis(2);
const LONG: Duration = Duration::from_secs(600);

type Plain = Coroutine<(), (), ()>;

std::thread_local!(static LEFT: RefCell<Option<Plain>> = const { RefCell::new(None) });

/// A coroutine that is suspended in a scope.
fn suspended(token: Token) -> Plain {
    let mut coroutine = Coroutine::new(move |co: &Suspender<(), ()>, ()| {
        _ = token.run(|| co.suspend(()));
    });
    assert_eq!(coroutine.resume(()), State::Yielded(()));
    coroutine
}

/// On an OS thread and on a green one.
fn on_both(test: fn()) {
    test();
    runtime(1).run(test);
}

#[test]
fn a_coroutine_that_is_resumed_in_order_has_scopes_as_others_do() {
    on_both(|| {
        let token = Token::new();
        let mut coroutine = suspended(token.clone());
        assert_eq!(cancel::timeout(LONG, || 7), Ok(7));
        token.cancel();
        assert!(cancel::is_cancelled(), "who has resumed it is in its scope");
        assert_eq!(coroutine.resume(()), State::Returned(()));
        assert!(!cancel::is_cancelled());
        thread::sleep(SHORT);
        drop(suspended(Token::new()));
        thread::sleep(SHORT);
    });
}

#[track_caller]
fn aborts(test: impl FnOnce()) {
    if is_child() {
        test();
        return;
    }
    let out = child(|_| {});
    assert!(was_aborted(&out), "{}", text(&out));
    assert!(text(&out).contains("a coroutine is suspended in a cancellation scope"), "{}", text(&out));
}

#[test]
fn a_scope_is_not_left_before_one_inside_in_a_coroutine() {
    aborts(|| {
        let coroutine = cancel::timeout(LONG, || suspended(Token::new()));
        drop(coroutine);
    });
}

#[test]
fn a_scope_of_a_green_thread_is_not_left_before_one_inside_in_a_coroutine() {
    aborts(|| {
        runtime(1).run(|| {
            let coroutine = cancel::timeout(LONG, || suspended(Token::new()));
            drop(coroutine);
        });
    });
}

#[test]
fn a_scope_is_not_left_by_another_thread() {
    aborts(|| {
        runtime(1).run(|| {
            thread::spawn(|| LEFT.set(Some(suspended(Token::new())))).join().unwrap();
            LEFT.set(None);
        });
    });
}

/// The canceller finds the scope of a thread that has gone.
#[test]
fn a_scope_in_a_coroutine_outlasts_its_thread() {
    let runtime = runtime(1);
    let token = Token::new();
    for _ in 0..100 {
        let token = token.clone();
        runtime.spawn(|| std::mem::forget(suspended(token))).join().unwrap();
    }
    // The memory of the threads' blocks is used again, and that of the runtime is gone.
    let others: Vec<_> = (0..200).map(|_| runtime.spawn(|| thread::sleep(SHORT))).collect();
    others.into_iter().for_each(|thread| thread.join().unwrap());
    drop(runtime);
    token.cancel();
    assert!(token.is_cancelled());
}
