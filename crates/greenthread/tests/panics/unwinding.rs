//! `panicking` when several threads of one worker panic. std counts panics for the OS thread; a
//! switch makes this count the green thread's own.

use std::panic::{catch_unwind, resume_unwind};

#[cfg(unix)]
use crate::common::{allow_os_threads, forbid_os_threads};
use crate::common::{child, everywhere, is_child, runtime, text, was_aborted};
use greenthread::{
    channel::{Select, bounded},
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

/// In its destructor, says that it runs, and waits.
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

/// Lets the ready threads run.
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

/// Calls the closure when dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// With any hook, set at any time.
#[test]
fn a_hook_of_the_programs_changes_nothing() {
    if is_child() {
        runtime(1).run(|| {
            std::panic::set_hook(Box::new(|_| ()));
            let [guilty, innocent] = [(); 2].map(|()| Arc::new(Mutex::new(())));
            let (tell, told) = channel();
            let (go, gone) = channel();
            let first = thread::spawn(move || {
                let _lingers = Lingers(tell, gone);
                panic!("the first");
            });
            told.recv().unwrap();
            let (tell, told) = channel();
            let (go_second, gone) = channel();
            let shared = guilty.clone();
            let second = thread::spawn(move || {
                let _lingers = Lingers(tell, gone);
                let _guard = shared.lock().unwrap();
                panic!("the second");
            });
            told.recv().unwrap();
            let guard = innocent.lock().unwrap();
            thread::yield_now();
            go.send(()).unwrap();
            assert!(first.join().is_err());
            drop(guard);
            go_second.send(()).unwrap();
            assert!(second.join().is_err());
            assert!(guilty.is_poisoned());
            assert!(!innocent.is_poisoned());
        });
        return;
    }
    let out = child(|_| {});
    assert!(out.status.success(), "{}", text(&out));
}

#[test]
fn std_counts_for_the_green_thread() {
    beside_one_that_unwinds(|| {
        assert!(!std::thread::panicking());
        let mutex = std::sync::Mutex::new(());
        drop(mutex.lock().unwrap());
        assert!(!mutex.is_poisoned());
        let caught = catch_unwind(|| {
            let _guard = mutex.lock().unwrap();
            panic!("it is poisoned by this one");
        });
        assert!(caught.is_err() && mutex.is_poisoned());
        assert!(!std::thread::panicking());
        // No hook sees this panic.
        let quiet = catch_unwind(|| {
            let _asks = OnDrop(|| assert!(thread::panicking()));
            resume_unwind(Box::new(()))
        });
        assert!(quiet.is_err() && !thread::panicking());
    });
}

/// A destructor that catches a panic of its own, and waits in the middle of that. Two panics are
/// under way at once.
#[test]
fn panics_within_panics_wait_too() {
    fn nested(depth: usize) {
        let _inner = OnDrop(|| {
            assert!(thread::panicking());
            thread::yield_now();
            if depth > 0 {
                assert!(catch_unwind(|| nested(depth - 1)).is_err());
            }
            thread::yield_now();
            assert!(thread::panicking());
        });
        resume_unwind(Box::new(depth));
    }
    everywhere(|| {
        let threads: Vec<_> = (0..40).map(|n| thread::spawn(move || nested(n % 7))).collect();
        for (n, thread) in threads.into_iter().enumerate() {
            assert_eq!(thread.join().unwrap_err().downcast_ref(), Some(&(n % 7)));
            assert!(!thread::panicking());
        }
    });
}

/// More threads than one nest has stand-ins. The nests of a runtime that has ended serve the next
/// one.
#[test]
fn a_thousand_are_suspended_in_their_unwinding() {
    for workers in [1, 2] {
        runtime(workers).run(|| {
            let barrier = Barrier::new(1001);
            thread::scope(|s| {
                let threads: Vec<_> = (0..1000_usize)
                    .map(|n| {
                        let barrier = &barrier;
                        s.spawn(move || {
                            let _waits = OnDrop(|| {
                                barrier.wait();
                                assert!(thread::panicking());
                            });
                            resume_unwind(Box::new(n))
                        })
                    })
                    .collect();
                barrier.wait();
                assert!(!std::thread::panicking());
                for (n, thread) in threads.into_iter().enumerate() {
                    let result: thread::Result<()> = thread.join();
                    assert_eq!(result.unwrap_err().downcast_ref(), Some(&n));
                }
            });
        });
    }
}

#[test]
fn a_hook_may_wait_for_a_sibling() {
    static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
    if is_child() {
        std::panic::set_hook(Box::new(|info| LOG.lock().unwrap().push(info.to_string())));
        runtime(1).run(|| {
            let log = LOG.lock().unwrap();
            // Both threads are in their hooks at the same time.
            let both = [1, 2].map(|n| thread::spawn(move || panic!("number {n}")));
            others_run();
            assert!(both.iter().all(|thread| !thread.is_finished()));
            assert!(!std::thread::panicking());
            drop(log);
            both.into_iter().for_each(|thread| assert!(thread.join().is_err()));
            assert!(!LOG.is_poisoned());
        });
        let log = LOG.lock().unwrap();
        assert!(log.len() == 2 && (1..=2).all(|n| log.concat().contains(&format!("number {n}"))));
        return;
    }
    let out = child(|_| {});
    assert!(out.status.success(), "{}", text(&out));
}

/// As in std, also if the hook has waited before.
#[test]
fn a_hook_that_panics_aborts() {
    if is_child() {
        std::panic::set_hook(Box::new(|_| {
            thread::sleep(Duration::from_millis(1));
            panic!("in the hook");
        }));
        runtime(1).run(|| thread::spawn(|| panic!("outside of it")).join()).unwrap_err();
        return;
    }
    let out = child(|_| {});
    assert!(was_aborted(&out), "{}", text(&out));
    assert!(text(&out).contains("panicked while processing panic"), "{}", text(&out));
}

/// A hook that replaces the library's, and panics each time. After its wait std's mark is gone.
#[test]
fn a_hook_that_panics_again_and_again_aborts() {
    if is_child() {
        runtime(1).run(|| {
            std::panic::set_hook(Box::new(|_| {
                thread::yield_now();
                panic!("in the hook");
            }));
            thread::spawn(|| panic!("outside of it")).join().unwrap_err();
        });
        return;
    }
    let out = child(|_| {});
    assert!(was_aborted(&out), "{}", text(&out));
    assert!(text(&out).contains("panicked while processing panic"), "{}", text(&out));
}

/// A hook that replaces the library's waits, and panics once. That panic comes out of the hook, and
/// must not stay in the worker's count.
#[test]
fn a_panic_out_of_a_hook_is_forgotten() {
    static ONCE: AtomicBool = AtomicBool::new(true);
    if is_child() {
        runtime(1).run(|| {
            std::panic::set_hook(Box::new(|_| {
                thread::yield_now();
                if ONCE.swap(false, SeqCst) {
                    panic!("in the hook");
                }
            }));
            assert!(thread::spawn(|| panic!("outside of it")).join().is_err());
            thread::sleep(Duration::from_millis(1));
            assert!(!std::thread::panicking());
        });
        return;
    }
    let out = child(|_| {});
    assert!(out.status.success(), "{}", text(&out));
}

/// If the OS refuses a thread for the first stand-ins, the worker waits for one. If that takes too
/// long, it goes on without.
#[cfg(unix)]
#[test]
fn without_an_os_thread_the_worker_waits_for_one() {
    if is_child() {
        let for_good = std::env::var_os("GREENTHREAD_TEST_FOR_GOOD").is_some();
        let (tell, told) = std::sync::mpsc::channel();
        let has_seen = tell.clone();
        let helper = std::thread::spawn(move || {
            told.recv().unwrap();
            if for_good {
                // The worker has gone on without, and the sibling has seen it.
                told.recv().unwrap();
            } else {
                std::thread::sleep(Duration::from_millis(100));
            }
            allow_os_threads();
        });
        runtime(1).run(move || {
            let (go, gone) = channel();
            let sibling = thread::spawn(move || {
                gone.recv().unwrap();
                assert_eq!(std::thread::panicking(), for_good);
                _ = has_seen.send(());
            });
            thread::yield_now();
            let unwinds = thread::spawn(move || {
                let _waits = OnDrop(|| {
                    forbid_os_threads();
                    tell.send(()).unwrap();
                    go.send(()).unwrap();
                    (0..5).for_each(|_| thread::yield_now());
                    assert!(thread::panicking());
                });
                resume_unwind(Box::new(()))
            });
            let result: thread::Result<()> = unwinds.join();
            assert!(result.is_err() && !std::thread::panicking());
            sibling.join().unwrap();
        });
        helper.join().unwrap();
        return;
    }
    for for_good in [false, true] {
        let out = child(|command| {
            if for_good {
                command.env("GREENTHREAD_TEST_FOR_GOOD", "1");
            }
        });
        assert!(out.status.success(), "for good: {for_good}, {}", text(&out));
    }
}

/// A count that could not be lowered belongs to the thread that has raised it. A sibling that waits
/// meanwhile does not lower it, even if that has become possible.
#[cfg(unix)]
#[test]
fn a_count_that_was_kept_is_left_to_its_thread() {
    if is_child() {
        runtime(1).run(move || {
            let (tell, told) = channel();
            let (go, gone) = channel();
            let sibling = thread::spawn(move || {
                told.recv().unwrap();
                assert!(std::thread::panicking());
                allow_os_threads();
                go.send(()).unwrap();
                thread::sleep(Duration::from_millis(20));
                assert!(!std::thread::panicking());
            });
            thread::yield_now();
            let unwinds = thread::spawn(move || {
                let _waits = OnDrop(|| {
                    forbid_os_threads();
                    tell.send(()).unwrap();
                    gone.recv().unwrap();
                    assert!(thread::panicking());
                });
                resume_unwind(Box::new(()))
            });
            let result: thread::Result<()> = unwinds.join();
            assert!(result.is_err());
            sibling.join().unwrap();
            assert!(!std::thread::panicking());
        });
        // After that panics are counted as before.
        beside_one_that_unwinds(|| assert!(!std::thread::panicking()));
        return;
    }
    let out = child(|_| {});
    assert!(out.status.success(), "{}", text(&out));
}
