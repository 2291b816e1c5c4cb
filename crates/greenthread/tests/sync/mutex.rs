//! `sync::Mutex`: what std's does, on green threads, OS threads and both.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use greenthread::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, mpsc::channel},
    thread,
};

use crate::common::world::{Counted, Kind, Random, everywhere, micros, time_limit};

#[test]
fn locks_again_after_unlocking() {
    everywhere(|_| {
        let mutex = Mutex::new(());
        drop(mutex.lock().unwrap());
        drop(mutex.lock().unwrap());
    });
}

#[test]
fn excludes() {
    everywhere(|world| {
        const ROUNDS: usize = 500;
        const THREADS: usize = 6;
        // Two plain counters that must never be seen with different values.
        let mutex = Arc::new(Mutex::new((Cell::new(0), Cell::new(0))));
        let threads: Vec<_> = (0..THREADS)
            .map(|seed| {
                let mutex = Arc::clone(&mutex);
                world.spawn(move || {
                    let mut random = Random::new(seed as u64 + 1);
                    for _ in 0..ROUNDS {
                        let guard = mutex.lock().unwrap();
                        assert_eq!(guard.0.get(), guard.1.get());
                        guard.0.set(guard.0.get() + 1);
                        random.dawdle();
                        guard.1.set(guard.1.get() + 1);
                        drop(guard);
                        if random.below(4) == 0 {
                            thread::yield_now();
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(mutex.lock().unwrap().0.get(), ROUNDS * THREADS);
    });
}

#[test]
fn excludes_short_sections() {
    everywhere(|world| {
        const ROUNDS: usize = 20_000;
        let mutex = Arc::new(Mutex::new(0));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let mutex = Arc::clone(&mutex);
                world.spawn(move || (0..ROUNDS).for_each(|_| *mutex.lock().unwrap() += 1))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(*mutex.lock().unwrap(), 4 * ROUNDS);
    });
}

#[test]
fn try_lock_never_waits() {
    everywhere(|world| {
        let mutex = Arc::new(Mutex::new(1));
        let guard = mutex.try_lock().unwrap();
        // A failed try does not unlock the mutex.
        for _ in 0..3 {
            let other = Arc::clone(&mutex);
            let tried = world.spawn(move || matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
            assert!(tried.end());
        }
        drop(guard);
        *mutex.try_lock().unwrap() = 2;
        assert_eq!(*mutex.lock().unwrap(), 2);
    });
}

#[test]
fn try_lock_beside_waiters() {
    everywhere(|world| {
        let mutex = Arc::new(Mutex::new(0));
        let threads: Vec<_> = (0..4)
            .map(|seed| {
                let mutex = Arc::clone(&mutex);
                world.spawn(move || {
                    let mut random = Random::new(seed + 77);
                    for _ in 0..300 {
                        if random.below(2) == 0 {
                            let mut guard = mutex.lock().unwrap();
                            random.dawdle();
                            *guard += 1;
                        } else {
                            loop {
                                if let Ok(mut guard) = mutex.try_lock() {
                                    *guard += 1;
                                    break;
                                }
                                thread::yield_now();
                            }
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(*mutex.lock().unwrap(), 1200);
    });
}

#[test]
fn gives_its_value_back() {
    let drops = Arc::new(AtomicUsize::new(0));
    let mutex = Mutex::new(Counted(Arc::clone(&drops)));
    let value = mutex.into_inner().unwrap();
    assert_eq!(drops.load(Relaxed), 0);
    drop(value);
    assert_eq!(drops.load(Relaxed), 1);
    drop(Mutex::new(Counted(Arc::clone(&drops))));
    assert_eq!(drops.load(Relaxed), 2);

    let mut mutex = Mutex::from(String::from("a"));
    mutex.get_mut().unwrap().push('b');
    assert_eq!(mutex.into_inner().unwrap(), "ab");
    assert_eq!(Mutex::<u8>::default().into_inner().unwrap(), 0);
}

#[test]
fn is_made_in_a_static_and_of_unsized_things() {
    static COUNT: Mutex<u32> = Mutex::new(1);
    *COUNT.lock().unwrap() += 1;
    assert_eq!(*COUNT.lock().unwrap(), 2);
    let mutex: &Mutex<[i32]> = &Mutex::new([1, 2, 3]);
    mutex.lock().unwrap()[0] = 4;
    assert_eq!(*mutex.lock().unwrap(), [4, 2, 3]);
    let any: Arc<Mutex<dyn Fn() -> i32 + Send>> = Arc::new(Mutex::new(|| 5));
    assert_eq!((any.lock().unwrap())(), 5);
}

#[test]
fn prints_as_std_does() {
    let (ours, theirs) = (Mutex::new(vec![1]), std::sync::Mutex::new(vec![1]));
    assert_eq!(format!("{ours:?} {ours:#?}"), format!("{theirs:?} {theirs:#?}"));
    let (guard, other) = (ours.lock().unwrap(), theirs.lock().unwrap());
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    assert_eq!(format!("{guard:?}"), format!("{other:?}"));
    drop((guard, other));
    poison(&ours);
    let _ = catch_unwind(|| {
        let _guard = theirs.lock().unwrap();
        panic!("on purpose");
    });
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    assert_eq!(format!("{}", Mutex::new(5).lock().unwrap()), "5");
}

#[test]
fn has_stds_auto_traits() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    fn unwind_safe<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    send::<Mutex<Cell<u8>>>();
    sync::<Mutex<Cell<u8>>>();
    sync::<MutexGuard<'static, u8>>();
    unwind_safe::<Mutex<Cell<u8>>>();

    // `MutexGuard<Cell>` is neither `Send` nor `Sync`: if it were, `answer` would be ambiguous.
    trait Not<A> {
        fn answer() {}
    }
    struct Has;
    impl<T: ?Sized> Not<()> for T {}
    impl<T: ?Sized + Send> Not<Has> for T {}
    impl<T: ?Sized + Sync> Not<[Has; 2]> for T {}
    let _ = <MutexGuard<'static, Cell<u8>> as Not<_>>::answer;
}

fn poison<T>(mutex: &Mutex<T>) {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        panic!("on purpose");
    }));
    assert!(result.is_err());
}

#[test]
fn is_poisoned_by_a_panic() {
    everywhere(|world| {
        let mutex = Arc::new(Mutex::new(1));
        let other = Arc::clone(&mutex);
        let died = world.spawn(move || {
            let mut guard = other.lock().unwrap();
            *guard = 2;
            panic!("on purpose");
        });
        assert!(died.join().is_err());
        assert!(mutex.is_poisoned());
        assert_eq!(*mutex.lock().unwrap_err().into_inner(), 2);
        match mutex.try_lock() {
            Err(TryLockError::Poisoned(guard)) => assert_eq!(*guard.into_inner(), 2),
            _ => panic!("not poisoned"),
        }
        mutex.clear_poison();
        assert!(!mutex.is_poisoned());
        assert_eq!(*mutex.lock().unwrap(), 2);
        poison(&mutex);
        let mut mutex = Arc::into_inner(mutex).unwrap();
        assert_eq!(*mutex.get_mut().unwrap_err().into_inner(), 2);
        assert_eq!(mutex.into_inner().unwrap_err().into_inner(), 2);
    });
}

#[test]
fn is_not_poisoned_by_a_panic_elsewhere() {
    struct LocksInDrop(Arc<Mutex<u32>>);
    impl Drop for LocksInDrop {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    everywhere(|world| {
        let mutex = Arc::new(Mutex::new(0));
        let inner = Arc::clone(&mutex);
        let died = world.spawn(move || {
            let _locks = LocksInDrop(inner);
            panic!("on purpose");
        });
        assert!(died.join().is_err());
        // The mutex was locked and unlocked while its thread panicked, but the panic had begun
        // before that.
        assert_eq!(*mutex.lock().unwrap(), 1);

        // A panic that is caught while the lock is held does not poison it.
        let guard = mutex.lock().unwrap();
        assert!(catch_unwind(|| panic!("on purpose")).is_err());
        drop(guard);
        assert!(!mutex.is_poisoned());
    });
}

#[test]
fn is_not_poisoned_by_a_sibling_that_panics() {
    // In this drop, while it unwinds, a thread lets the others run.
    struct YieldsInDrop(Arc<AtomicBool>);
    impl Drop for YieldsInDrop {
        fn drop(&mut self) {
            while !self.0.load(Relaxed) {
                thread::yield_now();
            }
        }
    }
    everywhere(|world| {
        let mutex = Arc::new(Mutex::new(0));
        let done = Arc::new(AtomicBool::new(false));
        let inner = Arc::clone(&done);
        let (ready, is_ready) = channel();
        let dies = world.spawn(move || {
            let _yields = YieldsInDrop(inner);
            ready.send(()).unwrap();
            panic!("on purpose");
        });
        is_ready.recv().unwrap();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let mutex = Arc::clone(&mutex);
                world.spawn(move || {
                    for _ in 0..20 {
                        let mut guard = mutex.lock().unwrap();
                        thread::yield_now();
                        *guard += 1;
                        drop(guard);
                        thread::yield_now();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        done.store(true, Relaxed);
        assert!(dies.join().is_err());
        assert!(!mutex.is_poisoned());
        assert_eq!(*mutex.lock().unwrap(), 80);
    });
}

#[test]
fn a_panic_beside_panicking_siblings_poisons() {
    struct YieldsInDrop;
    impl Drop for YieldsInDrop {
        fn drop(&mut self) {
            (0..5).for_each(|_| thread::yield_now());
        }
    }
    everywhere(|world| {
        let mutexes: Vec<_> = (0..8).map(|_| Arc::new(Mutex::new(()))).collect();
        let threads: Vec<_> = mutexes
            .iter()
            .map(|mutex| {
                let mutex = Arc::clone(mutex);
                world.spawn(move || {
                    let _guard = mutex.lock().unwrap();
                    let _yields = YieldsInDrop;
                    thread::yield_now();
                    panic!("on purpose");
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| assert!(thread.join().is_err()));
        assert!(mutexes.iter().all(|mutex| mutex.is_poisoned()));
    });
}

#[test]
fn nests() {
    everywhere(|world| {
        let inner = Arc::new(Mutex::new(1));
        let outer = Arc::new(Mutex::new(inner));
        let value = world.spawn(move || {
            let outer = outer.lock().unwrap();
            let inner = outer.lock().unwrap();
            *inner
        });
        assert_eq!(value.end(), 1);
    });
}

#[test]
fn waits_for_a_holder_that_sleeps() {
    everywhere(|world| {
        let mutex = Arc::new(Mutex::new(0));
        let guard = mutex.lock().unwrap();
        let threads: Vec<_> = (0..10)
            .map(|_| {
                let mutex = Arc::clone(&mutex);
                world.spawn(move || *mutex.lock().unwrap() += 1)
            })
            .collect();
        thread::sleep(micros(3000));
        assert_eq!(*guard, 0);
        drop(guard);
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(*mutex.lock().unwrap(), 10);
    });
}

/// A thread that takes the lock again and again does not keep another one from it.
fn nobody_starves(inside: bool, yields: bool) {
    everywhere(move |world| {
        if world.kind != Kind::Os && world.workers == 1 && !yields {
            return; // A thread that never yields keeps its worker, with a lock or without.
        }
        let mutex = Arc::new(Mutex::new(0_u64));
        let stop = Arc::new(AtomicBool::new(false));
        let hammers = [(); 2].map(|()| {
            let (mutex, stop) = (Arc::clone(&mutex), Arc::clone(&stop));
            world.spawn(move || {
                let mut rounds = 0_u64;
                while !stop.load(Relaxed) {
                    let mut guard = mutex.lock().unwrap();
                    *guard += 1;
                    if yields && inside {
                        thread::yield_now();
                    }
                    drop(guard);
                    if yields && !inside {
                        thread::yield_now();
                    }
                    // In case all threads live on one worker.
                    rounds += 1;
                    if rounds.is_multiple_of(1 << 14) {
                        thread::yield_now();
                    }
                }
            })
        });
        while *mutex.lock().unwrap() == 0 {
            thread::yield_now();
        }
        for _ in 0..20 {
            drop(mutex.lock().unwrap());
            thread::yield_now();
        }
        stop.store(true, Relaxed);
        hammers.into_iter().for_each(|hammer| hammer.end());
    });
}

#[test]
fn nobody_starves_beside_short_sections() {
    nobody_starves(false, false);
}

#[test]
fn nobody_starves_beside_sections_that_yield() {
    nobody_starves(true, true);
}

#[test]
fn nobody_starves_beside_sections_and_yields() {
    nobody_starves(false, true);
}

/// On one worker counts decide, not time: how often the hammer gets the lock before the other
/// thread does.
#[test]
fn a_waiter_is_handed_the_lock_in_the_end() {
    let _guard = time_limit("a_waiter_is_handed_the_lock_in_the_end".into());
    let runtime = greenthread::Runtime::builder().workers(1).build().unwrap();
    runtime.run(|| {
        let mutex = Arc::new(Mutex::new(0_u64));
        let stop = Arc::new(AtomicBool::new(false));
        let (other, stopped) = (Arc::clone(&mutex), Arc::clone(&stop));
        // The hammer holds the lock whenever another thread runs. Without a hand-over no other
        // thread would ever get it.
        let hammer = thread::spawn(move || {
            while !stopped.load(Relaxed) {
                let mut guard = other.lock().unwrap();
                *guard += 1;
                thread::yield_now();
            }
        });
        while mutex.try_lock().is_ok() {
            thread::yield_now();
        }
        let mut last = 0;
        for round in 0..10 {
            let guard = mutex.lock().unwrap();
            assert!(round == 0 || *guard - last <= 1000, "got it after {} others", *guard - last);
            last = *guard;
        }
        stop.store(true, Relaxed);
        hammer.join().unwrap();
    });
}

#[test]
fn many_threads_wait_at_one() {
    everywhere(|world| {
        let threads = if world.kind == Kind::Green { 2000 } else { 50 };
        let mutex = Arc::new(Mutex::new(0));
        let guard = mutex.lock().unwrap();
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                let mutex = Arc::clone(&mutex);
                world.spawn(move || {
                    let mut guard = mutex.lock().unwrap();
                    thread::yield_now();
                    *guard += 1;
                })
            })
            .collect();
        thread::yield_now();
        drop(guard);
        let count = threads.len();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(*mutex.lock().unwrap(), count);
    });
}
