//! Who is panicking, when several threads of one worker are: std counts for the OS thread, and we for each thread.

mod common;

use std::panic::{catch_unwind, resume_unwind};

use common::runtime;
use greenthread::{
    channel::{Select, bounded},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

/// On its way out, tells that it is, and waits.
struct Lingers(Sender<()>, Receiver<()>);

impl Drop for Lingers {
    fn drop(&mut self) {
        assert!(thread::panicking());
        self.0.send(()).unwrap();
        self.1.recv().unwrap();
        assert!(thread::panicking());
    }
}

/// Runs `test` on one worker, beside a sibling that is suspended in the middle of its unwinding.
fn beside_one_that_unwinds(test: impl FnOnce() + Send) {
    runtime(1).run(|| {
        let (tell, told) = channel();
        let (go, gone) = channel();
        let sibling = thread::spawn(move || {
            let _lingers = Lingers(tell, gone);
            panic!("the sibling");
        });
        told.recv().unwrap();
        test();
        go.send(()).unwrap();
        assert!(sibling.join().is_err());
    });
}

/// Gives the threads that are ready their turns.
fn others_run() {
    (0..10).for_each(|_| thread::yield_now());
}

#[test]
fn a_panic_that_was_caught_is_over() {
    runtime(1).run(|| {
        let (tell, told) = channel();
        let (go, gone) = channel();
        let mutex = Arc::new(Mutex::new(()));
        let shared = mutex.clone();
        let healthy = thread::spawn(move || {
            assert!(catch_unwind(|| panic!("caught")).is_err());
            let guard = shared.lock().unwrap();
            told.recv().unwrap();
            assert!(!thread::panicking());
            drop(guard);
            go.send(()).unwrap();
        });
        others_run();
        let sibling = thread::spawn(move || {
            let _lingers = Lingers(tell, gone);
            panic!("the sibling");
        });
        healthy.join().unwrap();
        assert!(sibling.join().is_err());
        assert!(!mutex.is_poisoned());
    });
}

#[test]
fn a_panic_of_the_pool_s_is_the_caller_s() {
    beside_one_that_unwinds(|| {
        let mutex = Arc::new(Mutex::new(()));
        let shared = mutex.clone();
        let unwinds = thread::spawn(move || {
            let _guard = shared.lock().unwrap();
            thread::unblock(|| panic!("on the pool"));
        });
        assert!(unwinds.join().is_err());
        assert!(mutex.is_poisoned());
        assert!(!thread::panicking());
    });
}

#[test]
fn a_panic_of_a_scope_s_or_of_run_is_its_caller_s() {
    let poisons = |scope: bool| {
        beside_one_that_unwinds(move || {
            let mutex = Arc::new(Mutex::new(()));
            let shared = mutex.clone();
            let unwinds = thread::spawn(move || {
                let _guard = shared.lock().unwrap();
                if scope {
                    thread::scope(|_| resume_unwind(Box::new("quietly")))
                } else {
                    greenthread::run(|| resume_unwind(Box::new("quietly")))
                }
            });
            assert!(unwinds.join().is_err());
            assert!(mutex.is_poisoned(), "by a scope: {scope}");
        });
    };
    poisons(true);
    poisons(false);
}

#[test]
fn what_was_selected_is_given_up_without_a_second_panic() {
    beside_one_that_unwinds(|| {
        let (s, r) = bounded::<i32>(1);
        let unwinds = thread::spawn(move || {
            let mut select = Select::new();
            select.send(&s);
            let selected = select.select();
            let message = thread::unblock(|| panic!("on the pool"));
            selected.send(&s, message)
        });
        assert!(unwinds.join().is_err());
        assert!(r.recv().is_err());
    });
}
