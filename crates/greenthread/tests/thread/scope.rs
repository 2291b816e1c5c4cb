//! `thread::scope`: threads that borrow.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use greenthread::thread::{self};

use crate::common::everywhere;

fn message(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<&str>() {
        Ok(text) => text.to_string(),
        Err(payload) => *payload.downcast::<String>().expect("a text"),
    }
}

#[test]
fn scoped_threads_borrow() {
    everywhere(|| {
        let mut numbers = vec![1, 2, 3];
        let sum = AtomicUsize::new(0);
        let value = thread::scope(|s| {
            s.spawn(|| numbers.push(4));
            for n in 0..100 {
                let sum = &sum;
                s.spawn(move || {
                    thread::yield_now();
                    sum.fetch_add(n, SeqCst)
                });
            }
            s.spawn(|| s.spawn(|| "nested").join().unwrap()).join().unwrap()
        });
        assert_eq!((value, sum.into_inner(), numbers), ("nested", 4950, vec![1, 2, 3, 4]));
    });
}

#[test]
fn a_scope_waits_also_while_its_closure_unwinds() {
    everywhere(|| {
        let done = AtomicUsize::new(0);
        let payload = catch_unwind(AssertUnwindSafe(|| {
            thread::scope(|s| {
                for _ in 0..10 {
                    s.spawn(|| {
                        thread::sleep(Duration::from_millis(5));
                        done.fetch_add(1, SeqCst);
                    });
                }
                panic!("in the closure");
            })
        }));
        assert_eq!(message(payload.unwrap_err()), "in the closure");
        assert_eq!(done.into_inner(), 10);
    });
}

#[test]
fn a_scope_panics_after_unhandled_panics() {
    everywhere(|| {
        let joined = thread::scope(|s| s.spawn(|| panic!("joined")).join().is_err());
        assert!(joined);
        for wait in [false, true] {
            let result = catch_unwind(AssertUnwindSafe(|| {
                thread::scope(|s| {
                    let handle = s.spawn(|| panic!("not joined"));
                    while wait && !handle.is_finished() {
                        thread::yield_now();
                    }
                })
            }));
            assert_eq!(message(result.unwrap_err()), "a scoped thread panicked");
        }
    });
}

#[test]
fn a_scope_on_an_os_thread() {
    let mut value = 0;
    thread::scope(|s| {
        s.spawn(|| value = 1);
    });
    assert_eq!(value, 1);
}

#[test]
fn results_of_scoped_threads_are_dropped_inside_the_scope() {
    struct Count<'a>(&'a AtomicUsize);
    impl Drop for Count<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    everywhere(|| {
        let dropped = AtomicUsize::new(0);
        let mut outlives = Vec::new();
        thread::scope(|s| {
            for _ in 0..50 {
                let thread = s.spawn(|| {
                    thread::yield_now();
                    Count(&dropped)
                });
                outlives.push(thread.thread().clone());
            }
        });
        assert_eq!(dropped.load(SeqCst), 50);
        assert!(outlives.iter().all(|thread| thread.name().is_none()));
    });
}

#[test]
fn a_scope_ends_after_its_last_thread() {
    let race = || {
        for round in 0..100_u32 {
            let done = AtomicBool::new(false);
            thread::scope(|s| {
                for _ in 0..5 {
                    s.spawn(|| thread::sleep(Duration::from_micros((round % 7).into())));
                }
                s.spawn(|| {
                    thread::yield_now();
                    done.store(true, SeqCst);
                });
            });
            assert!(done.load(SeqCst));
        }
    };
    everywhere(race);
    race();
}

#[test]
fn a_scoped_result_may_borrow_and_a_joined_one_is_the_joiners() {
    everywhere(|| {
        let dropped = AtomicUsize::new(0);
        struct Count<'a>(&'a AtomicUsize);
        impl Drop for Count<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(1, SeqCst);
            }
        }
        thread::scope(|s| {
            let result = s.spawn(|| Count(&dropped)).join();
            assert_eq!(dropped.load(SeqCst), 0);
            drop(result);
            assert_eq!(dropped.load(SeqCst), 1);
        });
    });
}
