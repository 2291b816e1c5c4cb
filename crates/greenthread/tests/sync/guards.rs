//! Guards of a part of a lock's value, and the locks without poisoning.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use greenthread::{
    sync::{
        Arc, MappedMutexGuard, MappedRwLockReadGuard, MappedRwLockWriteGuard, Mutex, MutexGuard, RwLock,
        RwLockReadGuard, RwLockWriteGuard, nonpoison, poison,
    },
    thread,
};

use crate::common::world::{Counted, Random, everywhere, micros};

#[test]
fn a_part_is_written_through_a_guard() {
    everywhere(|world| {
        let lock = Arc::new((Mutex::new((1, [2, 3])), RwLock::new((1, [2, 3]))));
        let part = MutexGuard::map(lock.0.lock().unwrap(), |all| &mut all.1);
        let mut part = MappedMutexGuard::map(part, |pair| &mut pair[1]);
        let other = RwLockWriteGuard::map(lock.1.write().unwrap(), |all| &mut all.1);
        let mut other = MappedRwLockWriteGuard::map(other, |pair| &mut pair[1]);
        // The lock is held all the time.
        let shared = Arc::clone(&lock);
        let attempt = move || (shared.0.try_lock().is_err(), shared.1.try_read().is_err());
        assert_eq!(world.spawn(attempt).end(), (true, true));
        (*part, *other) = (4, 4);
        assert_eq!(format!("{part:?} {part} {other:?} {other}"), "4 4 4 4");
        drop((part, other));
        assert_eq!(*lock.0.lock().unwrap(), (1, [2, 4]));
        assert_eq!(*lock.1.read().unwrap(), (1, [2, 4]));
    });
}

#[test]
fn a_part_is_read_through_a_guard() {
    everywhere(|world| {
        let lock = Arc::new(RwLock::new((1, [2, 3])));
        let part = RwLockReadGuard::map(lock.read().unwrap(), |all| &all.1);
        let part = MappedRwLockReadGuard::map(part, |pair| &pair[1]);
        let shared = Arc::clone(&lock);
        let attempt = move || (shared.try_read().is_ok(), shared.try_write().is_err());
        assert_eq!(world.spawn(attempt).end(), (true, true));
        assert_eq!(format!("{part:?} {part}"), "3 3");
        drop(part);
        assert!(lock.try_write().is_ok());
    });
}

#[test]
fn a_part_that_is_not_there_gives_the_guard_back() {
    let mutex = Mutex::new((Some(1), None::<i32>));
    let guard = MutexGuard::filter_map(mutex.lock().unwrap(), |pair| pair.1.as_mut()).unwrap_err();
    assert!(mutex.try_lock().is_err());
    let part = MutexGuard::filter_map(guard, |pair| pair.0.as_mut()).unwrap();
    let part = MappedMutexGuard::filter_map(part, |_| None::<&mut u8>).unwrap_err();
    assert_eq!(*MappedMutexGuard::filter_map(part, |n| Some(n)).unwrap(), 1);
    assert!(mutex.try_lock().is_ok());

    let lock = RwLock::new((Some(1), None::<i32>));
    let guard = RwLockReadGuard::filter_map(lock.read().unwrap(), |pair| pair.1.as_ref()).unwrap_err();
    let part = RwLockReadGuard::filter_map(guard, |pair| pair.0.as_ref()).unwrap();
    let part = MappedRwLockReadGuard::filter_map(part, |_| None::<&u8>).unwrap_err();
    assert_eq!(*MappedRwLockReadGuard::filter_map(part, |n| Some(n)).unwrap(), 1);
    let guard = RwLockWriteGuard::filter_map(lock.write().unwrap(), |pair| pair.1.as_mut()).unwrap_err();
    let part = RwLockWriteGuard::filter_map(guard, |pair| pair.0.as_mut()).unwrap();
    let part = MappedRwLockWriteGuard::filter_map(part, |_| None::<&mut u8>).unwrap_err();
    assert_eq!(*MappedRwLockWriteGuard::filter_map(part, |n| Some(n)).unwrap(), 1);
    assert!(lock.try_write().is_ok());
}

/// Calls `f`, which panics with the lock held. Returns whether that has poisoned the lock.
fn poisons<L>(lock: L, f: impl FnOnce(&L), is_poisoned: impl FnOnce(&L) -> bool) -> bool {
    assert!(catch_unwind(AssertUnwindSafe(|| f(&lock))).is_err());
    is_poisoned(&lock)
}

#[test]
fn a_closure_that_panics_unlocks_and_poisons() {
    fn read(_: &u8) -> &u8 {
        panic!("on purpose")
    }
    fn write(_: &mut u8) -> &mut u8 {
        panic!("on purpose")
    }
    fn find(_: &mut u8) -> Option<&mut u8> {
        panic!("on purpose")
    }
    let mutex = |f: fn(&Mutex<u8>)| poisons(Mutex::new(1), f, |m| m.try_lock().is_err() && m.is_poisoned());
    assert!(mutex(|m| drop(MutexGuard::map(m.lock().unwrap(), write))));
    assert!(mutex(|m| drop(MutexGuard::filter_map(m.lock().unwrap(), find))));
    assert!(mutex(|m| {
        let part = MutexGuard::map(m.lock().unwrap(), |n| n);
        drop(MappedMutexGuard::map(part, write));
    }));
    assert!(mutex(|m| {
        let _part = MutexGuard::map(m.lock().unwrap(), |n| n);
        panic!("on purpose");
    }));

    let lock = |f: fn(&RwLock<u8>)| {
        let unlocked = |l: &RwLock<u8>| {
            let poisoned = l.is_poisoned();
            l.clear_poison();
            assert!(l.try_write().is_ok());
            poisoned
        };
        poisons(RwLock::new(1), f, unlocked)
    };
    assert!(lock(|l| drop(RwLockWriteGuard::map(l.write().unwrap(), write))));
    assert!(lock(|l| {
        let part = RwLockWriteGuard::map(l.write().unwrap(), |n| n);
        drop(MappedRwLockWriteGuard::filter_map(part, find));
    }));
    // A panic of a reader poisons nothing.
    assert!(!lock(|l| drop(RwLockReadGuard::map(l.read().unwrap(), read))));
    assert!(!lock(|l| {
        let part = RwLockReadGuard::map(l.read().unwrap(), |n| n);
        drop(MappedRwLockReadGuard::map(part, read));
    }));
}

#[test]
fn a_part_outlives_no_value() {
    let drops = Arc::new(AtomicUsize::new(0));
    let mutex = Mutex::new(Some(Counted(Arc::clone(&drops))));
    let mut part = MutexGuard::map(mutex.lock().unwrap(), |value| value);
    *part = None;
    assert_eq!(drops.load(Relaxed), 1);
    drop(part);
    assert!(mutex.into_inner().unwrap().is_none());
}

#[test]
fn guards_have_stds_auto_traits() {
    fn sync<T: Sync>() {}
    sync::<MappedMutexGuard<'static, u8>>();
    sync::<MappedRwLockReadGuard<'static, u8>>();
    sync::<MappedRwLockWriteGuard<'static, u8>>();
    sync::<nonpoison::MutexGuard<'static, u8>>();
    sync::<nonpoison::Mutex<Cell<u8>>>();
    sync::<nonpoison::RwLock<u8>>();
    fn unwind_safe<T: UnwindSafe>() {}
    unwind_safe::<MutexGuard<'static, Cell<u8>>>();
    unwind_safe::<nonpoison::Mutex<u8>>();
    unwind_safe::<nonpoison::RwLock<u8>>();
    fn both<T: UnwindSafe + RefUnwindSafe>() {}
    both::<nonpoison::Condvar>();
    both::<MappedRwLockReadGuard<'static, u8>>();

    trait Not<A> {
        fn answer() {}
    }
    struct Has;
    impl<T: ?Sized> Not<()> for T {}
    impl<T: ?Sized + Send> Not<Has> for T {}
    let _ = <MappedMutexGuard<'static, u8> as Not<_>>::answer;
    let _ = <MappedRwLockReadGuard<'static, u8> as Not<_>>::answer;
    let _ = <MappedRwLockWriteGuard<'static, u8> as Not<_>>::answer;
    let _ = <nonpoison::MutexGuard<'static, u8> as Not<_>>::answer;
    let _ = <nonpoison::RwLockReadGuard<'static, u8> as Not<_>>::answer;
    // A panic may leave the value of such a lock half changed.
    trait NotSafe<A> {
        fn answer() {}
    }
    impl<T: ?Sized> NotSafe<()> for T {}
    impl<T: ?Sized + RefUnwindSafe> NotSafe<Has> for T {}
    let _ = <nonpoison::Mutex<u8> as NotSafe<_>>::answer;
}

// ---- nonpoison

#[test]
fn a_panic_poisons_nothing() {
    everywhere(|world| {
        let locks = Arc::new((nonpoison::Mutex::new(1), nonpoison::RwLock::new(1)));
        let inner = Arc::clone(&locks);
        let died = world.spawn(move || {
            let (mut one, mut two) = (inner.0.lock(), inner.1.write());
            (*one, *two) = (2, 2);
            panic!("on purpose");
        });
        assert!(died.join().is_err());
        assert_eq!((*locks.0.lock(), *locks.1.read()), (2, 2));
        assert_eq!(*locks.1.write(), 2);
        assert_eq!((*locks.0.try_lock().unwrap(), *locks.1.try_read().unwrap()), (2, 2));
    });
}

#[test]
fn they_exclude_too() {
    everywhere(|world| {
        let locks = Arc::new((nonpoison::Mutex::new((0, 0)), nonpoison::RwLock::new((0, 0))));
        let threads: Vec<_> = (0..5)
            .map(|seed| {
                let locks = Arc::clone(&locks);
                world.spawn(move || {
                    let mut random = Random::new(seed + 31);
                    for _ in 0..100 {
                        let mut guard = locks.0.lock();
                        guard.0 += 1;
                        random.dawdle();
                        guard.1 += 1;
                        assert_eq!(guard.0, guard.1);
                        drop(guard);
                        if random.below(3) == 0 {
                            let mut guard = locks.1.write();
                            guard.0 += 1;
                            random.dawdle();
                            guard.1 += 1;
                            let guard = nonpoison::RwLockWriteGuard::downgrade(guard);
                            assert_eq!(guard.0, guard.1);
                        } else {
                            let guard = locks.1.read();
                            random.dawdle();
                            assert_eq!(guard.0, guard.1);
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(*locks.0.lock(), (500, 500));
    });
}

#[test]
fn tries_would_block() {
    let (mutex, lock) = (nonpoison::Mutex::new(()), nonpoison::RwLock::new(()));
    let (one, two) = (mutex.lock(), lock.write());
    for _ in 0..3 {
        assert!(mutex.try_lock().is_err() && lock.try_read().is_err() && lock.try_write().is_err());
    }
    drop((one, two));
    let reads = lock.read();
    assert!(mutex.try_lock().is_ok() && lock.try_read().is_ok() && lock.try_write().is_err());
    drop(reads);
    assert!(lock.try_write().is_ok());
    let error = nonpoison::WouldBlock;
    assert_eq!(
        format!("{error:?}: {error}"),
        "WouldBlock: try_lock failed because the operation would block"
    );
}

#[test]
fn values_come_and_go() {
    let drops = Arc::new(AtomicUsize::new(0));
    let mut mutex = nonpoison::Mutex::new(Counted(Arc::clone(&drops)));
    mutex.set(Counted(Arc::clone(&drops)));
    assert_eq!(drops.load(Relaxed), 1);
    drop(mutex.replace(Counted(Arc::clone(&drops))));
    assert_eq!(drops.load(Relaxed), 2);
    *mutex.get_mut() = Counted(Arc::clone(&drops));
    drop(mutex.into_inner());
    assert_eq!(drops.load(Relaxed), 4);

    let mut lock = nonpoison::RwLock::from(1);
    lock.set(2);
    assert_eq!((lock.replace(3), lock.get_cloned(), lock.with(|n| n + 1)), (2, 3, 4));
    lock.with_mut(|n| *n += 1);
    *lock.get_mut() += 1;
    assert_eq!(lock.into_inner(), 5);
    assert_eq!(nonpoison::Mutex::from(1).get_cloned(), 1);
    assert_eq!(nonpoison::Mutex::<u8>::default().with_mut(|n| *n), 0);
    assert_eq!(nonpoison::RwLock::<u8>::default().into_inner(), 0);
    // A value's drop may use the lock that it was in.
    struct Locks(Option<Arc<nonpoison::Mutex<Locks>>>);
    impl Drop for Locks {
        fn drop(&mut self) {
            if let Some(mutex) = &self.0 {
                assert!(mutex.try_lock().is_ok());
            }
        }
    }
    let mutex = Arc::new(nonpoison::Mutex::new(Locks(None)));
    mutex.set(Locks(Some(Arc::clone(&mutex))));
    mutex.set(Locks(None));
}

#[test]
fn they_print_without_poison() {
    let (mutex, lock) = (nonpoison::Mutex::new(1), nonpoison::RwLock::new(1));
    assert_eq!(format!("{mutex:?} {lock:?}"), "Mutex { data: 1, .. } RwLock { data: 1, .. }");
    let (one, two) = (mutex.lock(), lock.write());
    let printed = r#"Mutex { data: "<locked>", .. } RwLock { data: <locked>, .. } 1 1"#;
    assert_eq!(format!("{mutex:?} {lock:?} {one:?} {two}"), printed);
}

#[test]
fn their_condvar_wakes() {
    everywhere(|world| {
        let pair = Arc::new((nonpoison::Mutex::new(0), nonpoison::Condvar::new()));
        let threads: Vec<_> = (0..6)
            .map(|n| {
                let pair = Arc::clone(&pair);
                world.spawn(move || {
                    let mut guard = pair.0.lock();
                    match n % 3 {
                        0 => pair.1.wait_while(&mut guard, |n| *n == 0),
                        1 => {
                            let result =
                                pair.1.wait_timeout_while(&mut guard, Duration::from_secs(1000), |n| *n == 0);
                            assert!(!result.timed_out());
                        }
                        _ => {
                            while *guard == 0 {
                                pair.1.wait(&mut guard);
                            }
                        }
                    }
                    *guard += 1;
                })
            })
            .collect();
        thread::sleep(micros(300));
        *pair.0.lock() = 1;
        pair.1.notify_all();
        threads.into_iter().for_each(|thread| thread.end());
        let mut guard = pair.0.lock();
        assert_eq!(*guard, 7);
        assert!(pair.1.wait_timeout(&mut guard, micros(300)).timed_out());
        assert!(pair.1.wait_timeout_while(&mut guard, micros(300), |_| true).timed_out());
        pair.1.notify_one();
    });
}

#[test]
fn their_condvar_outlives_a_panic() {
    everywhere(|world| {
        let pair = Arc::new((nonpoison::Mutex::new(false), nonpoison::Condvar::default()));
        let other = Arc::clone(&pair);
        let died = world.spawn(move || {
            let mut guard = other.0.lock();
            *guard = true;
            other.1.notify_one();
            panic!("on purpose");
        });
        pair.1.wait_while(&mut pair.0.lock(), |ready| !*ready);
        assert!(died.join().is_err());
    });
}

#[test]
fn their_parts_are_guarded() {
    let (mutex, lock) = (nonpoison::Mutex::new((1, Some(2))), nonpoison::RwLock::new((1, Some(2))));
    let part = nonpoison::MutexGuard::map(mutex.lock(), |all| &mut all.1);
    *nonpoison::MappedMutexGuard::filter_map(part, |part| part.as_mut()).unwrap() = 3;
    let part = nonpoison::RwLockWriteGuard::map(lock.write(), |all| &mut all.1);
    *nonpoison::MappedRwLockWriteGuard::filter_map(part, |part| part.as_mut()).unwrap() = 3;
    let part = nonpoison::RwLockReadGuard::map(lock.read(), |all| &all.1);
    assert_eq!(*nonpoison::MappedRwLockReadGuard::filter_map(part, |part| part.as_ref()).unwrap(), 3);
    assert_eq!((mutex.into_inner(), lock.into_inner()), ((1, Some(3)), (1, Some(3))));
}

#[test]
fn the_others_have_a_module_too() {
    let mutex: poison::Mutex<u8> = Mutex::new(1);
    assert_eq!(*mutex.lock().unwrap(), 1);
}

/// The sizes that the documentation says.
#[test]
#[cfg(target_pointer_width = "64")]
fn locks_are_so_large() {
    use greenthread::sync::{LazyLock, Once, OnceLock};

    assert_eq!([size_of::<Mutex<u64>>(), size_of::<RwLock<u64>>()], [40 + 8, 48 + 8]);
    assert_eq!([size_of::<Once>(), size_of::<OnceLock<u64>>()], [24, 24 + size_of::<Option<u64>>()]);
    assert_eq!(size_of::<LazyLock<u64>>(), 24 + 2 * 8);
}
