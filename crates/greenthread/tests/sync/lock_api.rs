//! The raw locks under the locks of the crate `lock_api`, on green threads, OS threads and both.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant},
};

use greenthread::{
    sync::{Arc, RawMutex, RawRwLock},
    thread,
};

use crate::common::world::{Random, everywhere, micros};

type Mutex<T> = lock_api::Mutex<RawMutex, T>;
type RwLock<T> = lock_api::RwLock<RawRwLock, T>;

#[test]
fn they_exclude() {
    everywhere(|world| {
        let locks = Arc::new((Mutex::new((0, 0)), RwLock::new((0, 0))));
        let threads: Vec<_> = (0..6)
            .map(|seed| {
                let locks = Arc::clone(&locks);
                world.spawn(move || {
                    let mut random = Random::new(seed + 51);
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
                            let guard = lock_api::RwLockWriteGuard::downgrade(guard);
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
        assert_eq!(*locks.0.lock(), (600, 600));
    });
}

#[test]
fn they_say_whether_they_are_locked() {
    let (mutex, lock) = (Mutex::new(()), RwLock::new(()));
    assert!(!mutex.is_locked() && !lock.is_locked());
    let guard = mutex.lock();
    assert!(mutex.is_locked() && mutex.try_lock().is_none());
    drop(guard);
    let guard = lock.read();
    assert!(lock.is_locked() && !lock.is_locked_exclusive());
    assert!(lock.try_read().is_some() && lock.try_write().is_none());
    drop(guard);
    let guard = lock.write();
    assert!(lock.is_locked_exclusive() && lock.try_read().is_none());
    drop(guard);
    assert!(!mutex.is_locked() && !lock.is_locked());
}

#[test]
fn deadlines_pass() {
    everywhere(|world| {
        let locks = Arc::new((Mutex::new(()), RwLock::new(())));
        let limit = micros(1000);
        let holds = (locks.0.lock(), locks.1.read());
        let inner = Arc::clone(&locks);
        let waits = world.spawn(move || {
            let begin = Instant::now();
            assert!(inner.0.try_lock_for(limit).is_none());
            assert!(inner.1.try_write_for(limit).is_none());
            assert!(begin.elapsed() >= 2 * limit);
            assert!(inner.0.try_lock_until(Instant::now()).is_none());
            assert!(inner.1.try_write_until(Instant::now()).is_none());
            // The writers that have given up don't block anyone.
            assert!(inner.1.try_read_for(limit).is_some());
        });
        waits.end();
        drop(holds);
        let holds = locks.1.write();
        let inner = Arc::clone(&locks);
        let waits = world.spawn(move || {
            assert!(inner.1.try_read_for(limit).is_none());
            assert!(inner.1.try_read_until(Instant::now()).is_none());
            assert!(inner.0.try_lock_for(Duration::MAX).is_some());
        });
        waits.end();
        drop(holds);
        assert!(locks.1.try_write_for(Duration::ZERO).is_some());
        assert!(locks.0.try_lock_for(Duration::ZERO).is_some());
    });
}

#[test]
fn a_writer_that_gives_up_lets_readers_in() {
    everywhere(|world| {
        let lock = Arc::new((RwLock::new(()), AtomicBool::new(false)));
        let holds = lock.0.read();
        let inner = Arc::clone(&lock);
        let gives_up = world.spawn(move || {
            let failed = inner.0.try_write_for(micros(3000)).is_none();
            inner.1.store(true, Relaxed);
            failed
        });
        // The writer may also have come and given up unseen.
        while lock.0.try_read().is_some() && !lock.1.load(Relaxed) {
            thread::yield_now();
        }
        // This read queues behind the writer. No thread unlocks before this read is let in.
        drop(lock.0.read());
        assert!(gives_up.end());
        drop(holds);
    });
}

/// Deadlines pass at the moment when the lock becomes free. The thread that gets it has it alone.
#[test]
fn deadlines_against_unlocks() {
    everywhere(|world| {
        let locks = Arc::new((Mutex::new(0), RwLock::new(0)));
        let threads: Vec<_> = (0..6)
            .map(|seed| {
                let locks = Arc::clone(&locks);
                world.spawn(move || {
                    let mut random = Random::new(seed + 91);
                    let mut done = (0, 0);
                    for _ in 0..80 {
                        let limit = micros(random.below(100));
                        if let Some(mut guard) = locks.0.try_lock_for(limit) {
                            random.dawdle();
                            *guard += 1;
                            done.0 += 1;
                        }
                        if random.below(2) == 0 {
                            if let Some(mut guard) = locks.1.try_write_for(limit) {
                                random.dawdle();
                                *guard += 1;
                                done.1 += 1;
                            }
                        } else if let Some(guard) = locks.1.try_read_for(limit) {
                            let before = *guard;
                            random.dawdle();
                            assert_eq!(*guard, before);
                        }
                    }
                    done
                })
            })
            .collect();
        let done = threads.into_iter().map(|thread| thread.end()).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        assert_eq!((*locks.0.lock(), *locks.1.write()), done);
    });
}
