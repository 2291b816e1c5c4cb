//! `sync::Once`, `OnceLock` and `LazyLock`: what std's do, on green threads, OS threads and both.

use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use greenthread::{
    sync::{Arc, LazyLock, Once, OnceLock, mpsc::channel},
    thread,
};

use crate::common::world::{Counted, everywhere, micros};

/// The text of a panic.
fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<&str>() {
        Ok(text) => text.to_string(),
        Err(panic) => *panic.downcast::<String>().unwrap(),
    }
}

// ---- Once

#[test]
fn is_done_once() {
    everywhere(|world| {
        for _ in 0..20 {
            // The closure takes a while, and each call returns after it.
            let state = Arc::new((Once::new(), AtomicUsize::new(0)));
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    let state = Arc::clone(&state);
                    world.spawn(move || {
                        for _ in 0..3 {
                            state.0.call_once(|| {
                                thread::yield_now();
                                state.1.fetch_add(1, Relaxed);
                                thread::yield_now();
                                state.1.fetch_add(1, Relaxed);
                            });
                            assert_eq!(state.1.load(Relaxed), 2);
                            assert!(state.0.is_completed());
                            thread::yield_now();
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.end());
        }
    });
}

#[test]
fn a_panic_poisons() {
    everywhere(|world| {
        let once = Arc::new(Once::new());
        let panics = |f: fn(&Once)| {
            let once = Arc::clone(&once);
            world.spawn(move || f(&once)).join().map_err(message)
        };
        assert_eq!(panics(|once| once.call_once(|| panic!("on purpose"))).unwrap_err(), "on purpose");
        assert!(!once.is_completed());
        let poisoned = "Once instance has previously been poisoned";
        assert_eq!(panics(|once| once.call_once(|| unreachable!())).unwrap_err(), poisoned);
        assert_eq!(panics(|once| once.wait()).unwrap_err(), poisoned);
        // Another panic leaves it poisoned.
        let again = panics(|once| {
            once.call_once_force(|state| {
                assert!(state.is_poisoned());
                panic!("once more");
            });
        });
        assert_eq!(again.unwrap_err(), "once more");
        let mut called = false;
        once.call_once_force(|state| {
            assert!(state.is_poisoned());
            called = true;
        });
        assert!(called && once.is_completed());
        once.call_once(|| unreachable!());
        once.call_once_force(|_| unreachable!());
        once.wait();
        once.wait_force();
    });
}

#[test]
fn waiting_threads_see_a_panic() {
    everywhere(|world| {
        let once = Arc::new(Once::new());
        let (begun, has_begun) = channel();
        let other = Arc::clone(&once);
        let fails = world.spawn(move || {
            other.call_once(|| {
                begun.send(()).unwrap();
                thread::sleep(micros(500));
                panic!("on purpose");
            });
        });
        has_begun.recv().unwrap();
        let [calls, waits, forces] = [0, 1, 2].map(|n| {
            let once = Arc::clone(&once);
            world.spawn(move || match n {
                0 => once.call_once(|| unreachable!()),
                1 => once.wait(),
                // This call succeeds where the other one has failed.
                _ => once.call_once_force(|state| assert!(state.is_poisoned())),
            })
        });
        assert!(fails.join().is_err());
        forces.end();
        // The other two calls came while it was running, and have seen one of the two results.
        drop((calls.join(), waits.join()));
        assert!(once.is_completed());
    });
}

#[test]
fn waits_for_others() {
    everywhere(|world| {
        let state = Arc::new((Once::new(), AtomicUsize::new(0)));
        let threads: Vec<_> = (0..6)
            .map(|n| {
                let state = Arc::clone(&state);
                world.spawn(move || {
                    if n % 2 == 0 {
                        state.0.wait();
                    } else {
                        state.0.wait_force();
                    }
                    assert_eq!(state.1.load(Relaxed), 1);
                })
            })
            .collect();
        thread::sleep(micros(300));
        state.0.call_once(|| {
            state.1.store(1, Relaxed);
        });
        threads.into_iter().for_each(|thread| thread.end());
    });
}

#[test]
fn waits_through_a_panic() {
    everywhere(|world| {
        let once = Arc::new(Once::new());
        let other = Arc::clone(&once);
        let waits = world.spawn(move || other.wait_force());
        let panic = catch_unwind(AssertUnwindSafe(|| once.call_once(|| panic!("on purpose"))));
        assert!(panic.is_err());
        thread::sleep(micros(300));
        once.call_once_force(|_| {});
        waits.end();
    });
}

#[test]
fn prints_as_std_does() {
    assert_eq!(format!("{:?}", Once::new()), format!("{:?}", std::sync::Once::new()));
    let mut ours = String::new();
    Once::new().call_once_force(|state| ours = format!("{state:?}"));
    let mut theirs = String::new();
    std::sync::Once::new().call_once_force(|state| theirs = format!("{state:?}"));
    assert_eq!(ours, theirs);

    let (ours, theirs) = (OnceLock::new(), std::sync::OnceLock::new());
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    ours.set("a").unwrap();
    theirs.set("a").unwrap();
    assert_eq!(format!("{ours:?} {ours:#?}"), format!("{theirs:?} {theirs:#?}"));

    let (ours, theirs) = (LazyLock::new(|| "a"), std::sync::LazyLock::new(|| "a"));
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    assert_eq!(*ours, *theirs);
    assert_eq!(format!("{ours:?} {ours:#?}"), format!("{theirs:?} {theirs:#?}"));
}

#[test]
fn have_stds_auto_traits() {
    fn all<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    all::<Once>();
    all::<OnceLock<u8>>();
    all::<LazyLock<u8>>();
    fn send<T: Send>() {}
    send::<OnceLock<Cell<u8>>>();
    fn sync<T: Sync>() {}
    // Only one thread takes the closure.
    sync::<LazyLock<u8, Box<dyn FnOnce() -> u8 + Send>>>();
    trait Not<A> {
        fn answer() {}
    }
    struct Has;
    impl<T: ?Sized> Not<()> for T {}
    impl<T: ?Sized + Sync> Not<Has> for T {}
    let _ = <OnceLock<Cell<u8>> as Not<_>>::answer;
    let _ = <LazyLock<Cell<u8>> as Not<_>>::answer;
}

#[test]
#[expect(deprecated)]
fn std_still_has_its_constant() {
    static START: Once = greenthread::sync::ONCE_INIT;
    START.call_once(|| {});
    assert!(START.is_completed());
}

// ---- OnceLock

#[test]
fn a_value_is_put_in_once() {
    let cell = OnceLock::new();
    assert_eq!(cell.get(), None);
    assert_eq!(cell.get_or_init(|| 92), &92);
    assert_eq!(cell.set(93), Err(93));
    assert_eq!(cell.get_or_init(|| panic!("kaboom")), &92);
    let mut cell = cell;
    *cell.get_mut().unwrap() += 1;
    assert_eq!(cell.take(), Some(93));
    assert!(cell.get().is_none() && cell.get_mut().is_none() && cell.take().is_none());
    assert_eq!(cell.set(1), Ok(()));
    assert_eq!(cell.into_inner(), Some(1));
    assert_eq!(OnceLock::<u8>::default().into_inner(), None);
}

#[test]
fn one_of_many_puts_it_in() {
    everywhere(|world| {
        for _ in 0..20 {
            let cell = Arc::new(OnceLock::new());
            let threads: Vec<_> = (0..8)
                .map(|n| {
                    let cell = Arc::clone(&cell);
                    world.spawn(move || {
                        let set = if n % 2 == 0 {
                            cell.set(n).is_ok()
                        } else {
                            let mut ours = false;
                            cell.get_or_init(|| {
                                ours = true;
                                thread::yield_now();
                                n
                            });
                            ours
                        };
                        assert_eq!(set, cell.get() == Some(&n));
                        usize::from(set)
                    })
                })
                .collect();
            assert_eq!(threads.into_iter().map(|thread| thread.end()).sum::<usize>(), 1);
        }
    });
}

#[test]
fn a_panic_leaves_the_place_empty() {
    everywhere(|world| {
        let cell = Arc::new(OnceLock::new());
        let other = Arc::clone(&cell);
        let died = world.spawn(move || {
            other.get_or_init(|| panic!("on purpose"));
        });
        assert!(died.join().is_err());
        assert_eq!(cell.get(), None);
        assert_eq!(cell.get_or_init(|| 1), &1);
    });
}

#[test]
fn the_value_is_waited_for() {
    everywhere(|world| {
        let cell = Arc::new(OnceLock::new());
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let cell = Arc::clone(&cell);
                world.spawn(move || *cell.wait())
            })
            .collect();
        thread::sleep(micros(300));
        cell.set(7).unwrap();
        threads.into_iter().for_each(|thread| assert_eq!(thread.end(), 7));
    });
}

#[test]
fn compares_and_clones_by_the_value() {
    let (empty, one, two) = (OnceLock::new(), OnceLock::from(1), OnceLock::from(2));
    assert!(empty == OnceLock::new() && empty != one && one != two && one == one.clone());
    assert_eq!(empty.clone().get(), None);
    // A clone is a cell of its own.
    assert_eq!((empty.clone().set(3), empty.get()), (Ok(()), None));
}

#[test]
fn the_value_is_dropped_once() {
    let drops = Arc::new(AtomicUsize::new(0));
    let mut cell = OnceLock::new();
    drop(cell.set(Counted(Arc::clone(&drops))));
    drop(cell.set(Counted(Arc::clone(&drops))).unwrap_err());
    assert_eq!(drops.load(Relaxed), 1);
    drop(cell.take());
    assert_eq!(drops.load(Relaxed), 2);
    drop(cell);
    assert_eq!(drops.load(Relaxed), 2);
    drop(OnceLock::from(Counted(Arc::clone(&drops))));
    assert_eq!(drops.load(Relaxed), 3);
}

#[test]
fn the_value_may_die_before_its_place() {
    // The value that it borrows is declared later, and so dropped earlier.
    let cell = OnceLock::new();
    let text = String::new();
    cell.set(&text).unwrap();
}

// ---- LazyLock

#[test]
fn a_value_is_made_when_it_is_wanted() {
    everywhere(|world| {
        let made = Arc::new(AtomicUsize::new(0));
        let inner = Arc::clone(&made);
        let lazy = Arc::new(LazyLock::new(move || {
            thread::yield_now();
            inner.fetch_add(1, Relaxed) + 10
        }));
        assert_eq!(made.load(Relaxed), 0);
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let lazy = Arc::clone(&lazy);
                world.spawn(move || if n % 2 == 0 { **lazy } else { *LazyLock::force(&lazy) })
            })
            .collect();
        threads.into_iter().for_each(|thread| assert_eq!(thread.end(), 10));
        assert_eq!(made.load(Relaxed), 1);
    });
}

#[test]
fn a_static_is_made_when_it_is_wanted() {
    static LIST: LazyLock<Vec<u8>> = LazyLock::new(|| vec![1, 2]);
    assert_eq!(LazyLock::get(&LIST), None);
    assert_eq!(LIST.len(), 2);
    assert_eq!(LazyLock::get(&LIST), Some(&vec![1, 2]));
    assert_eq!(*LazyLock::<u8>::default(), 0);
}

#[test]
fn a_panic_poisons_for_good() {
    everywhere(|world| {
        let lazy = Arc::new(LazyLock::<u8, fn() -> u8>::new(|| panic!("on purpose")));
        let force = || {
            let lazy = Arc::clone(&lazy);
            world.spawn(move || **lazy).join().map_err(message).unwrap_err()
        };
        assert_eq!(force(), "on purpose");
        assert_eq!(force(), "LazyLock instance has previously been poisoned");
        assert_eq!(force(), "LazyLock instance has previously been poisoned");
        assert_eq!(LazyLock::get(&lazy), None);
        let mut lazy = Arc::into_inner(lazy).unwrap();
        assert_eq!(LazyLock::get_mut(&mut lazy), None);
        assert!(catch_unwind(AssertUnwindSafe(|| *LazyLock::force_mut(&mut lazy))).is_err());
    });
}

#[test]
fn can_be_changed_through_a_unique_reference() {
    let mut lazy = LazyLock::new(|| vec![1]);
    assert_eq!(LazyLock::get_mut(&mut lazy), None);
    lazy.push(2);
    LazyLock::force_mut(&mut lazy).push(3);
    assert_eq!(*lazy, [1, 2, 3]);
    LazyLock::get_mut(&mut lazy).unwrap().clear();
    assert!(LazyLock::get(&lazy).unwrap().is_empty());

    // A panic in this call poisons too.
    let mut lazy = LazyLock::<u8, fn() -> u8>::new(|| panic!("on purpose"));
    assert!(catch_unwind(AssertUnwindSafe(|| *LazyLock::force_mut(&mut lazy))).is_err());
    let again = catch_unwind(AssertUnwindSafe(|| *lazy)).map_err(message);
    assert_eq!(again.unwrap_err(), "LazyLock instance has previously been poisoned");
    assert_eq!(LazyLock::get(&lazy), None);
}

#[test]
fn closure_and_value_are_dropped_once() {
    let drops = Arc::new(AtomicUsize::new(0));
    let (inside, made) = (Counted(Arc::clone(&drops)), RefCell::new(Some(Counted(Arc::clone(&drops)))));
    let lazy = LazyLock::new(|| {
        let _inside = inside;
        made.take().unwrap()
    });
    LazyLock::force(&lazy);
    assert_eq!(drops.load(Relaxed), 1);
    drop(lazy);
    assert_eq!(drops.load(Relaxed), 2);
    // The value is never wanted, so the closure is dropped.
    let inside = Counted(Arc::clone(&drops));
    drop(LazyLock::new(move || drop(inside)));
    assert_eq!(drops.load(Relaxed), 3);
}
