//! `sync::Semaphore`, on green threads, OS threads and both.

use std::{
    panic::{RefUnwindSafe, UnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use greenthread::{
    sync::{Arc, Mutex, OwnedSemaphorePermit, Semaphore, SemaphorePermit, mpsc::channel},
    thread,
};

use crate::common::world::{Random, everywhere, micros, time_limit};

#[test]
fn so_many_and_no_more() {
    everywhere(|world| {
        let semaphore = Arc::new(Semaphore::new(3));
        let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let threads: Vec<_> = (0..8)
            .map(|seed| {
                let semaphore = Arc::clone(&semaphore);
                let (inside, most) = (Arc::clone(&inside), Arc::clone(&most));
                world.spawn(move || {
                    let mut random = Random::new(seed + 5);
                    for _ in 0..100 {
                        let n = 1 + random.below(3) as usize;
                        let permits = semaphore.acquire_many(n);
                        let now = inside.fetch_add(n, Relaxed) + n;
                        most.fetch_max(now, Relaxed);
                        random.dawdle();
                        inside.fetch_sub(n, Relaxed);
                        drop(permits);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert!(most.load(Relaxed) <= 3);
        assert_eq!(semaphore.available_permits(), 3);
    });
}

#[test]
fn one_permit_excludes() {
    everywhere(|world| {
        // Two counters that must never be seen with different values.
        let state = Arc::new((Semaphore::new(1), AtomicUsize::new(0), AtomicUsize::new(0)));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let state = Arc::clone(&state);
                world.spawn(move || {
                    for _ in 0..2000 {
                        let _permit = state.0.acquire();
                        let before = state.1.load(Relaxed);
                        assert_eq!(before, state.2.load(Relaxed));
                        state.1.store(before + 1, Relaxed);
                        state.2.store(before + 1, Relaxed);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(state.1.load(Relaxed), 8000);
    });
}

#[test]
fn trying_never_waits() {
    let semaphore = Semaphore::new(2);
    let one = semaphore.try_acquire().unwrap();
    assert!(semaphore.try_acquire_many(2).is_none());
    assert!(semaphore.try_acquire_many(usize::MAX).is_none());
    let two = semaphore.try_acquire().unwrap();
    assert!(semaphore.try_acquire().is_none());
    assert_eq!(semaphore.try_acquire_many(0).unwrap().num_permits(), 0);
    drop(one);
    assert_eq!(semaphore.available_permits(), 1);
    drop(two);
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn permits_are_added_and_forgotten() {
    everywhere(|world| {
        let semaphore = Arc::new(Semaphore::new(0));
        let other = Arc::clone(&semaphore);
        let waits = world.spawn(move || other.acquire_many(5).forget());
        for _ in 0..5 {
            thread::yield_now();
            semaphore.add_permits(1);
        }
        waits.end();
        assert_eq!(semaphore.available_permits(), 0);
        semaphore.add_permits(7);
        assert_eq!(semaphore.forget_permits(3), 3);
        assert_eq!(semaphore.forget_permits(30), 4);
        assert_eq!(semaphore.forget_permits(1), 0);
    });
}

#[test]
fn permits_are_split_and_merged() {
    let semaphore = Arc::new(Semaphore::new(5));
    let mut permits = semaphore.acquire_many(4);
    let mut three = permits.split(3).unwrap();
    assert!(permits.split(2).is_none());
    assert_eq!((permits.num_permits(), three.num_permits()), (1, 3));
    three.merge(permits);
    assert_eq!(semaphore.available_permits(), 1);
    drop(three);
    assert_eq!(semaphore.available_permits(), 5);

    let mut owned = Arc::clone(&semaphore).acquire_many_owned(2);
    owned.merge(Arc::clone(&semaphore).try_acquire_owned().unwrap());
    drop(owned.split(1));
    assert_eq!((owned.num_permits(), semaphore.available_permits()), (2, 3));
    assert!(Arc::clone(&semaphore).try_acquire_many_owned(4).is_none());
    owned.forget();
    assert_eq!(semaphore.available_permits(), 3);

    let other = Semaphore::new(1);
    let merged = catch_unwind(|| semaphore.acquire().merge(other.acquire()));
    assert!(merged.is_err());
    assert_eq!((semaphore.available_permits(), other.available_permits()), (3, 1));
}

#[test]
fn there_is_a_limit() {
    let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
    assert!(catch_unwind(|| semaphore.add_permits(1)).is_err());
    assert!(catch_unwind(|| drop(semaphore.acquire_many(Semaphore::MAX_PERMITS + 1))).is_err());
    let all = semaphore.acquire_many(Semaphore::MAX_PERMITS);
    assert_eq!(semaphore.available_permits(), 0);
    drop(all);
    assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
    assert!(catch_unwind(|| Semaphore::new(usize::MAX)).is_err());
}

#[test]
fn queued_threads_are_served_in_order() {
    everywhere(|world| {
        let semaphore = Arc::new(Semaphore::new(0));
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut threads = Vec::new();
        for n in 0..6 {
            let (inner, order) = (Arc::clone(&semaphore), Arc::clone(&order));
            let (ready, is_ready) = channel();
            threads.push(world.spawn(move || {
                ready.send(()).unwrap();
                let permit = inner.acquire();
                order.lock().unwrap().push(n);
                permit.forget();
            }));
            is_ready.recv().unwrap();
            // The thread queues soon. Nothing tells when it has.
            thread::sleep(micros(500));
        }
        let in_line = |order: &Mutex<Vec<i32>>, n| {
            while order.lock().unwrap().len() < n {
                thread::yield_now();
            }
        };
        for n in 1..=6 {
            semaphore.add_permits(1);
            in_line(&order, n);
        }
        threads.into_iter().for_each(|thread| thread.end());
        let order = order.lock().unwrap().clone();
        if world.kind == crate::common::world::Kind::Green && world.workers == 1 {
            assert_eq!(order, [0, 1, 2, 3, 4, 5]);
        }
        assert_eq!(order.len(), 6);
    });
}

#[test]
fn a_request_for_many_is_not_passed() {
    everywhere(|world| {
        let semaphore = Arc::new(Semaphore::new(2));
        let first = semaphore.acquire();
        let other = Arc::clone(&semaphore);
        let wants_all = world.spawn(move || drop(other.acquire_many(2)));
        // There is one permit, but once a thread is queued for two, no other one gets it.
        while let Some(permit) = semaphore.try_acquire() {
            drop(permit);
            thread::yield_now();
        }
        assert!(semaphore.acquire_timeout(micros(300)).is_none());
        drop(first);
        wants_all.end();
        assert!(semaphore.try_acquire_many(2).is_some());
    });
}

#[test]
fn giving_up_lets_those_behind_go() {
    everywhere(|world| {
        let semaphore = Arc::new(Semaphore::new(1));
        let begin = Instant::now();
        let gone = Arc::new(AtomicBool::new(false));
        let (other, goes) = (Arc::clone(&semaphore), Arc::clone(&gone));
        let wants_much = world.spawn(move || {
            let failed = other.acquire_many_timeout(2, micros(2000)).is_none();
            goes.store(true, Relaxed);
            failed
        });
        // The other thread may also have come and given up unseen.
        while semaphore.try_acquire().is_some() && !gone.load(Relaxed) {
            thread::yield_now();
        }
        // This call queues behind it. No permit is given back, so this call returns only since the
        // other thread gives up.
        drop(semaphore.acquire());
        assert!(wants_much.end());
        assert!(begin.elapsed() >= micros(2000));
        assert!(semaphore.try_acquire().is_some());
    });
}

#[test]
fn a_timeout_takes_no_permit_along() {
    everywhere(|world| {
        for round in 0..200 {
            let mut random = Random::new(round);
            let semaphore = Arc::new(Semaphore::new(0));
            let limit = micros(random.below(120));
            let threads = [0, 1].map(|_| {
                let semaphore = Arc::clone(&semaphore);
                world.spawn(move || match semaphore.acquire_timeout(limit) {
                    Some(permit) => {
                        permit.forget();
                        1
                    }
                    None => 0,
                })
            });
            if random.below(2) == 0 {
                thread::sleep(micros(random.below(120)));
            }
            semaphore.add_permits(1);
            let taken: usize = threads.into_iter().map(|thread| thread.end()).sum();
            assert_eq!(taken + semaphore.available_permits(), 1, "round {round}");
        }
    });
}

#[test]
fn is_acquired_in_time() {
    everywhere(|world| {
        for limit in [Duration::from_secs(1000), Duration::MAX] {
            let semaphore = Arc::new(Semaphore::new(0));
            let other = Arc::clone(&semaphore);
            let adds = world.spawn(move || other.add_permits(1));
            assert!(semaphore.acquire_timeout(limit).is_some());
            adds.end();
        }
        assert!(Semaphore::new(0).acquire_timeout(Duration::ZERO).is_none());
        assert!(Semaphore::new(1).acquire_timeout(Duration::ZERO).is_some());
    });
}

#[test]
fn a_permit_goes_to_another_thread() {
    everywhere(|world| {
        let semaphore = Arc::new(Semaphore::new(2));
        let busy = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..20)
            .map(|_| {
                let permit = Arc::clone(&semaphore).acquire_owned();
                let busy = Arc::clone(&busy);
                world.spawn(move || {
                    assert!(busy.fetch_add(1, Relaxed) < 2);
                    thread::yield_now();
                    busy.fetch_sub(1, Relaxed);
                    drop(permit);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(semaphore.available_permits(), 2);
    });
}

#[test]
fn nobody_starves() {
    // On one worker counts decide: a queued thread has its turn before the others have theirs
    // again.
    let _guard = time_limit("nobody_starves".into());
    let runtime = greenthread::Runtime::builder().workers(1).build().unwrap();
    runtime.run(|| {
        let semaphore = Arc::new(Semaphore::new(2));
        let (stop, taken) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let hammers: Vec<_> = (0..3)
            .map(|_| {
                let (semaphore, stop, taken) =
                    (Arc::clone(&semaphore), Arc::clone(&stop), Arc::clone(&taken));
                thread::spawn(move || {
                    while !stop.load(Relaxed) {
                        let _permit = semaphore.acquire();
                        taken.fetch_add(1, Relaxed);
                        thread::yield_now();
                    }
                })
            })
            .collect();
        while taken.load(Relaxed) < 10 {
            thread::yield_now();
        }
        for _ in 0..20 {
            let before = taken.load(Relaxed);
            let all = semaphore.acquire_many(2);
            let others = taken.load(Relaxed) - before;
            drop(all);
            assert!(others <= 4, "{others} others");
            thread::yield_now();
        }
        stop.store(true, Relaxed);
        hammers.into_iter().for_each(|hammer| hammer.join().unwrap());
    });
}

#[test]
fn traits_and_printing() {
    static SEMAPHORE: Semaphore = Semaphore::new(3);
    let permits = SEMAPHORE.acquire_many(2);
    assert_eq!(
        format!("{SEMAPHORE:?} {permits:?}"),
        "Semaphore { permits: 1 } SemaphorePermit { permits: 2, .. }"
    );
    fn all<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    all::<Semaphore>();
    all::<SemaphorePermit<'static>>();
    all::<OwnedSemaphorePermit>();
}
