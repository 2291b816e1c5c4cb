//! `sync::RwLock`: what std's does, on green threads, OS threads and both.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use greenthread::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, mpsc::channel},
    thread,
};

use crate::common::world::{Counted, Kind, Random, everywhere, micros, time_limit};

#[test]
fn locks_again_after_unlocking() {
    everywhere(|_| {
        let lock = RwLock::new(());
        drop(lock.read().unwrap());
        drop(lock.write().unwrap());
        drop((lock.read().unwrap(), lock.read().unwrap()));
        drop(lock.write().unwrap());
    });
}

#[test]
fn a_writer_is_alone() {
    everywhere(|world| {
        const ROUNDS: usize = 300;
        const THREADS: usize = 6;
        // Two counters that must never be seen with different values, except by their writer.
        let lock = Arc::new(RwLock::new((AtomicUsize::new(0), AtomicUsize::new(0))));
        let written = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..THREADS)
            .map(|seed| {
                let (lock, written) = (Arc::clone(&lock), Arc::clone(&written));
                world.spawn(move || {
                    let mut random = Random::new(seed as u64 + 11);
                    for _ in 0..ROUNDS {
                        if random.below(4) == 0 {
                            let guard = lock.write().unwrap();
                            guard.0.fetch_add(1, Relaxed);
                            random.dawdle();
                            guard.1.fetch_add(1, Relaxed);
                            written.fetch_add(1, Relaxed);
                        } else {
                            let guard = lock.read().unwrap();
                            let before = guard.0.load(Relaxed);
                            random.dawdle();
                            assert_eq!((before, before), (guard.0.load(Relaxed), guard.1.load(Relaxed)));
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(lock.read().unwrap().0.load(Relaxed), written.load(Relaxed));
    });
}

#[test]
fn short_sections() {
    everywhere(|world| {
        const ROUNDS: usize = 10_000;
        let lock = Arc::new(RwLock::new((0, 0)));
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let lock = Arc::clone(&lock);
                world.spawn(move || {
                    for round in 0..ROUNDS {
                        if n < 2 && round % 8 == 0 {
                            let mut guard = lock.write().unwrap();
                            guard.0 += 1;
                            guard.1 += 1;
                        } else {
                            let guard = lock.read().unwrap();
                            assert_eq!(guard.0, guard.1);
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(lock.read().unwrap().0, 2 * ROUNDS / 8);
    });
}

#[test]
fn readers_are_there_together() {
    everywhere(|world| {
        const THREADS: usize = 5;
        // No reader leaves before all have come.
        let lock = Arc::new(RwLock::new(AtomicUsize::new(0)));
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let lock = Arc::clone(&lock);
                world.spawn(move || {
                    let guard = lock.read().unwrap();
                    guard.fetch_add(1, Relaxed);
                    while guard.load(Relaxed) != THREADS {
                        thread::yield_now();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
    });
}

#[test]
fn queued_readers_go_in_together() {
    everywhere(|world| {
        const THREADS: usize = 5;
        let lock = Arc::new(RwLock::new(AtomicUsize::new(0)));
        let guard = lock.write().unwrap();
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let lock = Arc::clone(&lock);
                world.spawn(move || {
                    let guard = lock.read().unwrap();
                    guard.fetch_add(1, Relaxed);
                    while guard.load(Relaxed) != THREADS {
                        thread::yield_now();
                    }
                })
            })
            .collect();
        thread::sleep(micros(500));
        drop(guard);
        threads.into_iter().for_each(|thread| thread.end());
    });
}

/// Readers that queued before the writer, after it, or come while others read.
#[test]
fn queued_readers_go_in_before_a_writer() {
    everywhere(|world| {
        let lock = Arc::new(RwLock::new(0));
        let guard = lock.write().unwrap();
        let other = Arc::clone(&lock);
        let mut readers = vec![world.spawn(move || *other.read().unwrap())];
        let other = Arc::clone(&lock);
        let writer = world.spawn(move || *other.write().unwrap() = 1);
        thread::sleep(micros(300));
        let other = Arc::clone(&lock);
        readers.push(world.spawn(move || *other.read().unwrap()));
        thread::sleep(micros(300));
        // A downgrade, so that the writer can't get the lock first.
        let guard = RwLockWriteGuard::downgrade(guard);
        readers.into_iter().for_each(|reader| assert_eq!(reader.end(), *guard));
        drop(guard);
        writer.end();
        assert_eq!(*lock.read().unwrap(), 1);
    });
}

#[test]
fn tries_never_wait_and_take_nothing_away() {
    everywhere(|world| {
        let lock = Arc::new(RwLock::new(1));
        let attempt = |lock: &Arc<RwLock<i32>>| {
            let lock = Arc::clone(lock);
            world
                .spawn(move || {
                    let read = lock.try_read().map(drop).map_err(|e| matches!(e, TryLockError::WouldBlock));
                    let write = lock.try_write().map(drop).map_err(|e| matches!(e, TryLockError::WouldBlock));
                    (read, write)
                })
                .end()
        };
        let guard = lock.write().unwrap();
        for _ in 0..3 {
            assert_eq!(attempt(&lock), (Err(true), Err(true)));
        }
        drop(guard);
        let guard = lock.read().unwrap();
        for _ in 0..3 {
            assert_eq!(attempt(&lock), (Ok(()), Err(true)));
        }
        drop(guard);
        assert_eq!(attempt(&lock), (Ok(()), Ok(())));
        drop(lock.try_write().unwrap());
    });
}

#[test]
fn a_reader_does_not_pass_a_queued_writer() {
    everywhere(|world| {
        let lock = Arc::new(RwLock::new(0));
        let first = lock.read().unwrap();
        let other = Arc::clone(&lock);
        let writer = world.spawn(move || *other.write().unwrap() = 1);
        while lock.try_read().is_ok() {
            thread::yield_now();
        }
        let other = Arc::clone(&lock);
        let second = world.spawn(move || *other.read().unwrap());
        thread::sleep(micros(300));
        drop(first);
        assert_eq!(second.end(), 1);
        writer.end();
    });
}

#[test]
fn a_writer_goes_on_as_a_reader() {
    everywhere(|world| {
        const ROUNDS: usize = 100;
        // Each thread reads what it has written itself.
        let lock = Arc::new(RwLock::new(0));
        let threads: Vec<_> = (1..=4)
            .map(|me| {
                let lock = Arc::clone(&lock);
                world.spawn(move || {
                    let mut random = Random::new(me);
                    for _ in 0..ROUNDS {
                        let mut guard = lock.write().unwrap();
                        *guard = me;
                        random.dawdle();
                        let guard = RwLockWriteGuard::downgrade(guard);
                        random.dawdle();
                        assert_eq!(*guard, me);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        drop(lock.write().unwrap());
    });
}

#[test]
fn going_on_as_a_reader_lets_readers_in() {
    everywhere(|world| {
        let lock = Arc::new(RwLock::new(1));
        let guard = lock.write().unwrap();
        let (ready, is_ready) = channel();
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let (lock, ready) = (Arc::clone(&lock), ready.clone());
                world.spawn(move || {
                    ready.send(()).unwrap();
                    *lock.read().unwrap()
                })
            })
            .collect();
        (0..3).for_each(|_| is_ready.recv().unwrap());
        thread::sleep(micros(300));
        let guard = RwLockWriteGuard::downgrade(guard);
        // They end while this thread still reads.
        readers.into_iter().for_each(|reader| assert_eq!(reader.end(), 1));
        assert!(lock.try_write().is_err());
        drop(guard);
        assert!(lock.try_write().is_ok());
    });
}

fn poison<T>(lock: &RwLock<T>) {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.write().unwrap_or_else(PoisonError::into_inner);
        panic!("on purpose");
    }));
    assert!(result.is_err());
}

#[test]
fn is_poisoned_by_a_writer_that_panics() {
    everywhere(|world| {
        let lock = Arc::new(RwLock::new(1));
        let other = Arc::clone(&lock);
        let died = world.spawn(move || {
            let mut guard = other.write().unwrap();
            *guard = 2;
            panic!("on purpose");
        });
        assert!(died.join().is_err());
        assert!(lock.is_poisoned());
        assert_eq!(*lock.read().unwrap_err().into_inner(), 2);
        assert_eq!(*lock.write().unwrap_err().into_inner(), 2);
        assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(guard)) if **guard.get_ref() == 2));
        assert!(matches!(lock.try_write(), Err(TryLockError::Poisoned(guard)) if **guard.get_ref() == 2));
        lock.clear_poison();
        assert_eq!(*lock.read().unwrap(), 2);
        poison(&lock);
        let mut lock = Arc::into_inner(lock).unwrap();
        assert_eq!(*lock.get_mut().unwrap_err().into_inner(), 2);
        assert_eq!(lock.into_inner().unwrap_err().into_inner(), 2);
    });
}

#[test]
fn is_not_poisoned_by_a_reader_that_panics() {
    everywhere(|world| {
        let lock = Arc::new(RwLock::new(1));
        for downgrades in [false, true] {
            let other = Arc::clone(&lock);
            let died = world.spawn(move || {
                let _guard = match downgrades {
                    false => other.read().unwrap(),
                    true => RwLockWriteGuard::downgrade(other.write().unwrap()),
                };
                panic!("on purpose");
            });
            assert!(died.join().is_err());
            assert!(!lock.is_poisoned());
            assert_eq!(*lock.write().unwrap(), 1);
        }
    });
}

#[test]
fn is_unlocked_in_a_drop_while_panicking() {
    struct Writes(Arc<RwLock<u32>>);
    impl Drop for Writes {
        fn drop(&mut self) {
            *self.0.write().unwrap() += 1;
        }
    }
    everywhere(|world| {
        let lock = Arc::new(RwLock::new(0));
        let writes = Writes(Arc::clone(&lock));
        let died = world.spawn(move || {
            let _writes = writes;
            panic!("on purpose");
        });
        assert!(died.join().is_err());
        assert_eq!(*lock.read().unwrap(), 1);
    });
}

#[test]
fn gives_its_value_back() {
    let drops = Arc::new(AtomicUsize::new(0));
    let lock = RwLock::new(Counted(Arc::clone(&drops)));
    let value = lock.into_inner().unwrap();
    assert_eq!(drops.load(Relaxed), 0);
    drop(value);
    assert_eq!(drops.load(Relaxed), 1);
    drop(RwLock::new(Counted(Arc::clone(&drops))));
    assert_eq!(drops.load(Relaxed), 2);

    let mut lock = RwLock::from(String::from("a"));
    lock.get_mut().unwrap().push('b');
    assert_eq!(lock.into_inner().unwrap(), "ab");
    assert_eq!(RwLock::<u8>::default().into_inner().unwrap(), 0);
}

#[test]
fn is_made_in_a_static_and_of_unsized_things() {
    static COUNT: RwLock<u32> = RwLock::new(1);
    *COUNT.write().unwrap() += 1;
    assert_eq!(*COUNT.read().unwrap(), 2);
    let lock: &RwLock<[i32]> = &RwLock::new([1, 2, 3]);
    lock.write().unwrap()[0] = 4;
    assert_eq!(*lock.read().unwrap(), [4, 2, 3]);
}

#[test]
fn prints_as_std_does() {
    let (ours, theirs) = (RwLock::new(vec![1]), std::sync::RwLock::new(vec![1]));
    assert_eq!(format!("{ours:?} {ours:#?}"), format!("{theirs:?} {theirs:#?}"));
    let (guard, other) = (ours.write().unwrap(), theirs.write().unwrap());
    assert_eq!(format!("{ours:?} {guard:?}"), format!("{theirs:?} {other:?}"));
    drop((guard, other));
    let (guard, other) = (ours.read().unwrap(), theirs.read().unwrap());
    assert_eq!(format!("{ours:?} {guard:?}"), format!("{theirs:?} {other:?}"));
    drop((guard, other));
    poison(&ours);
    let _ = catch_unwind(|| {
        let _guard = theirs.write().unwrap();
        panic!("on purpose");
    });
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    assert_eq!(format!("{} {}", RwLock::new(5).read().unwrap(), RwLock::new(6).write().unwrap()), "5 6");
}

#[test]
fn has_stds_auto_traits() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    fn unwind_safe<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    send::<RwLock<Cell<u8>>>();
    sync::<RwLock<u8>>();
    sync::<RwLockReadGuard<'static, u8>>();
    sync::<RwLockWriteGuard<'static, u8>>();
    unwind_safe::<RwLock<Cell<u8>>>();
    unwind_safe::<RwLockWriteGuard<'static, Cell<u8>>>();
    unwind_safe::<RwLockReadGuard<'static, u8>>();

    // None of these is `Send`, nor the lock of a cell `Sync`: if one were, `answer` would be
    // ambiguous.
    trait Not<A> {
        fn answer() {}
    }
    struct Has;
    impl<T: ?Sized> Not<()> for T {}
    impl<T: ?Sized + Send> Not<Has> for T {}
    let _ = <RwLockReadGuard<'static, u8> as Not<_>>::answer;
    let _ = <RwLockWriteGuard<'static, u8> as Not<_>>::answer;
    trait NotSync<A> {
        fn answer() {}
    }
    impl<T: ?Sized> NotSync<()> for T {}
    impl<T: ?Sized + Sync> NotSync<Has> for T {}
    let _ = <RwLock<Cell<u8>> as NotSync<_>>::answer;

    // A read guard coerces to one with a shorter lifetime.
    fn shorter<'a>(guard: RwLockReadGuard<'a, &'static str>) -> RwLockReadGuard<'a, &'a str> {
        guard
    }
    assert_eq!(*shorter(RwLock::new("a").read().unwrap()), "a");
}

/// On one worker counts decide, not time: how often others get the lock before a queued thread
/// does.
fn gets_in_after(at_most: u64, hammers: usize, hammer_writes: bool, wants_to_write: bool) {
    let _guard = time_limit(format!("{hammers} hammers, {hammer_writes}, {wants_to_write}"));
    let runtime = greenthread::Runtime::builder().workers(1).build().unwrap();
    runtime.run(move || {
        let lock = Arc::new(RwLock::new(()));
        let taken = Arc::new(AtomicUsize::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let hammers: Vec<_> = (0..hammers)
            .map(|_| {
                let (lock, taken, stop) = (Arc::clone(&lock), Arc::clone(&taken), Arc::clone(&stop));
                thread::spawn(move || {
                    while !stop.load(Relaxed) {
                        // The lock is held whenever another thread runs. Readers overlap, so the
                        // lock is never free by itself.
                        let both = match hammer_writes {
                            true => (None, Some(lock.write().unwrap())),
                            false => (Some(lock.read().unwrap()), None),
                        };
                        taken.fetch_add(1, Relaxed);
                        thread::yield_now();
                        drop(both);
                    }
                })
            })
            .collect();
        while taken.load(Relaxed) < 10 {
            thread::yield_now();
        }
        for round in 0..10 {
            let before = taken.load(Relaxed);
            let both = match wants_to_write {
                true => (None, Some(lock.write().unwrap())),
                false => (Some(lock.read().unwrap()), None),
            };
            let others = (taken.load(Relaxed) - before) as u64;
            drop(both);
            assert!(others <= at_most, "{others} others in round {round}");
            thread::yield_now();
        }
        stop.store(true, Relaxed);
        hammers.into_iter().for_each(|hammer| hammer.join().unwrap());
    });
}

#[test]
fn readers_do_not_starve_a_writer() {
    gets_in_after(1000, 3, false, true);
}

#[test]
fn writers_do_not_starve_a_reader() {
    gets_in_after(1000, 3, true, false);
}

#[test]
fn a_reader_waits_for_one_writer() {
    // The only writer holds the lock, and can't have it again before the reader.
    gets_in_after(1, 1, true, false);
}

#[test]
fn writers_do_not_starve_a_writer() {
    gets_in_after(1000, 3, true, true);
}

/// The same with threads that run at the same time. A thread that starves never ends.
#[test]
fn nobody_starves_beside_short_sections() {
    everywhere(|world| {
        if world.kind != Kind::Os && world.workers == 1 {
            return; // A thread that never yields keeps its worker, with a lock or without.
        }
        let lock = Arc::new(RwLock::new(0_u64));
        let stop = Arc::new(AtomicBool::new(false));
        let hammers: Vec<_> = [true, false, false]
            .map(|writes| {
                let (lock, stop) = (Arc::clone(&lock), Arc::clone(&stop));
                world.spawn(move || {
                    let mut rounds = 0_u64;
                    while !stop.load(Relaxed) {
                        match writes {
                            true => *lock.write().unwrap() += 1,
                            false => assert!(*lock.read().unwrap() < u64::MAX),
                        }
                        // In case all threads live on one worker.
                        rounds += 1;
                        if rounds.is_multiple_of(1 << 10) {
                            thread::yield_now();
                        }
                    }
                })
            })
            .into();
        while *lock.read().unwrap() == 0 {
            thread::yield_now();
        }
        for _ in 0..20 {
            drop(lock.write().unwrap());
            drop(lock.read().unwrap());
            thread::yield_now();
        }
        stop.store(true, Relaxed);
        hammers.into_iter().for_each(|hammer| hammer.end());
    });
}

#[test]
fn many_threads_wait_at_one() {
    everywhere(|world| {
        let threads = if world.kind == Kind::Green { 1000 } else { 40 };
        let lock = Arc::new(RwLock::new(0));
        let guard = lock.write().unwrap();
        let threads: Vec<_> = (0..threads)
            .map(|n| {
                let lock = Arc::clone(&lock);
                world.spawn(move || {
                    if n % 3 == 0 {
                        let mut guard = lock.write().unwrap();
                        thread::yield_now();
                        *guard += 1;
                    } else {
                        let guard = lock.read().unwrap();
                        let before = *guard;
                        thread::yield_now();
                        assert_eq!(*guard, before);
                    }
                })
            })
            .collect();
        thread::yield_now();
        drop(guard);
        let writers = threads.len().div_ceil(3);
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(*lock.read().unwrap(), writers);
    });
}
