//! Scopes whose threads fail together, and races.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use greenthread::{cancel, thread};

use crate::common::world::everywhere;

const SHORT: Duration = Duration::from_millis(2);

#[test]
fn values_come_back() {
    everywhere(|world| {
        world
            .spawn(|| {
                let numbers = [1, 2, 3];
                let sum = cancel::scope(|scope| {
                    let threads =
                        numbers.each_ref().map(|number| scope.spawn(move || Ok::<_, ()>(number * 2)));
                    let mut sum = 0;
                    for thread in threads {
                        sum += thread.join()?;
                    }
                    Ok(sum)
                });
                assert_eq!(sum, Ok(12));
            })
            .end();
    });
}

#[test]
fn the_first_error_wins_and_all_have_ended() {
    everywhere(|world| {
        world
            .spawn(|| {
                let ended = AtomicUsize::new(0);
                struct Count<'a>(&'a AtomicUsize);
                impl Drop for Count<'_> {
                    fn drop(&mut self) {
                        self.0.fetch_add(1, SeqCst);
                    }
                }
                let result = cancel::scope(|scope| {
                    for _ in 0..20 {
                        scope.spawn(|| {
                            let _count = Count(&ended);
                            Ok(thread::park())
                        });
                    }
                    let failing = scope.spawn(|| {
                        let _count = Count(&ended);
                        thread::sleep(SHORT);
                        Err::<(), _>("first")
                    });
                    failing.join()
                });
                assert_eq!(result, Err("first"));
                assert!(ended.load(SeqCst) >= 1);
                let started_and_ended = ended.load(SeqCst);
                thread::sleep(SHORT);
                assert_eq!(ended.load(SeqCst), started_and_ended);
            })
            .end();
    });
}

#[test]
fn a_panic_comes_out_of_the_scope() {
    everywhere(|world| {
        world
            .spawn(|| {
                let payload = catch_unwind(AssertUnwindSafe(|| {
                    cancel::scope(|scope| {
                        scope.spawn(|| Ok(thread::park()));
                        scope.spawn(|| -> Result<(), ()> { std::panic::resume_unwind(Box::new("boom")) });
                        Ok(thread::park())
                    })
                }))
                .unwrap_err();
                assert_eq!(payload.downcast_ref(), Some(&"boom"));
                let payload = catch_unwind(AssertUnwindSafe(|| {
                    cancel::scope(|scope| -> Result<(), ()> {
                        scope.spawn(|| Ok(thread::park()));
                        std::panic::resume_unwind(Box::new("body"))
                    })
                }))
                .unwrap_err();
                assert_eq!(payload.downcast_ref(), Some(&"body"));
            })
            .end();
    });
}

#[test]
fn a_tree_falls_as_a_whole() {
    fn tree(depth: u32, leaves: &AtomicUsize) -> Result<(), &'static str> {
        struct Leaf<'a>(&'a AtomicUsize);
        impl Drop for Leaf<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, SeqCst);
            }
        }
        if depth == 0 {
            leaves.fetch_add(1, SeqCst);
            let _leaf = Leaf(leaves);
            thread::park();
            return Ok(());
        }
        cancel::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| tree(depth - 1, leaves));
            }
            Ok(())
        })
    }
    everywhere(|world| {
        world
            .spawn(|| {
                let leaves = AtomicUsize::new(0);
                let result = cancel::scope(|scope| {
                    scope.spawn(|| tree(4, &leaves));
                    while leaves.load(SeqCst) < 81 {
                        thread::sleep(Duration::from_micros(100));
                    }
                    Err::<(), _>("timber")
                });
                assert_eq!(result, Err("timber"));
                assert_eq!(leaves.load(SeqCst), 0);
                let elapsed = cancel::timeout(SHORT, || tree(3, &leaves));
                assert!(elapsed.is_err());
                assert_eq!(leaves.load(SeqCst), 0);
            })
            .end();
    });
}

#[test]
fn a_handle_takes_the_tree_below_with_it() {
    let ended = std::sync::Arc::new(AtomicUsize::new(0));
    let theirs = ended.clone();
    let thread = thread::spawn(move || {
        cancel::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| {
                    struct Ended<'a>(&'a AtomicUsize);
                    impl Drop for Ended<'_> {
                        fn drop(&mut self) {
                            self.0.fetch_add(1, SeqCst);
                        }
                    }
                    let _ended = Ended(&theirs);
                    Ok::<_, ()>(thread::park())
                });
            }
            Ok(())
        })
    });
    std::thread::sleep(Duration::from_millis(20));
    thread.cancel();
    assert!(thread.join().is_err() || ended.load(SeqCst) == 5);
    assert_eq!(ended.load(SeqCst), 5);
}

#[test]
fn races() {
    everywhere(|world| {
        world
            .spawn(|| {
                let first = cancel::race((0..10_u64).rev().map(|number| {
                    move || {
                        thread::sleep(Duration::from_millis(number * 200));
                        number
                    }
                }));
                assert_eq!(first, 0);
            })
            .end();
    });
}

#[test]
fn a_race_takes_no_wake_up() {
    everywhere(|world| {
        world
            .spawn(|| {
                let me = thread::current();
                let first = cancel::race([|| {
                    me.unpark();
                    thread::sleep(SHORT);
                    7
                }]);
                assert_eq!(first, 7);
                thread::park();
            })
            .end();
    });
}
