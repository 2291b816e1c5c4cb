//! `sync::Condvar`: what std's does, on green threads, OS threads and both.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use greenthread::{
    sync::{Arc, Condvar, Mutex, mpsc::channel},
    thread,
};

use crate::common::world::{Kind, Random, everywhere, micros};

fn pair<T>(value: T) -> Arc<(Mutex<T>, Condvar)> {
    Arc::new((Mutex::new(value), Condvar::new()))
}

#[test]
fn notifying_nobody_does_nothing() {
    static CONDVAR: Condvar = Condvar::new();
    CONDVAR.notify_one();
    CONDVAR.notify_all();
    assert_eq!(format!("{CONDVAR:?}"), "Condvar { .. }");
    let condvar = Condvar::default();
    let mutex = Mutex::new(());
    condvar.notify_one();
    // The notification is not kept for later.
    assert!(condvar.wait_timeout(mutex.lock().unwrap(), micros(500)).unwrap().1.timed_out());
}

#[test]
fn wakes_one() {
    everywhere(|world| {
        let pair = pair(());
        let other = Arc::clone(&pair);
        let guard = pair.0.lock().unwrap();
        let thread = world.spawn(move || {
            let _guard = other.0.lock().unwrap();
            other.1.notify_one();
        });
        let guard = pair.1.wait(guard).unwrap();
        drop(guard);
        thread.end();
    });
}

#[test]
fn wakes_all() {
    everywhere(|world| {
        const THREADS: usize = 20;
        let pair = pair(0);
        let (ready, is_ready) = channel();
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (pair, ready) = (Arc::clone(&pair), ready.clone());
                world.spawn(move || {
                    let (count, condvar) = &*pair;
                    let mut count = count.lock().unwrap();
                    *count += 1;
                    if *count == THREADS {
                        ready.send(()).unwrap();
                    }
                    while *count != 0 {
                        count = condvar.wait(count).unwrap();
                    }
                })
            })
            .collect();
        is_ready.recv().unwrap();
        *pair.0.lock().unwrap() = 0;
        pair.1.notify_all();
        threads.into_iter().for_each(|thread| thread.end());
    });
}

#[test]
fn wakes_in_the_order_of_arrival() {
    everywhere(|world| {
        let pair = pair(Vec::new());
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut threads = Vec::new();
        for n in 0..8 {
            let (inner, arrived) = (Arc::clone(&pair), Arc::clone(&waiting));
            threads.push(world.spawn(move || {
                let mut guard = inner.0.lock().unwrap();
                arrived.fetch_add(1, Relaxed);
                guard = inner.1.wait(guard).unwrap();
                guard.push(n);
            }));
            while waiting.load(Relaxed) != n + 1 {
                thread::yield_now();
            }
            // The thread holds the mutex until it waits.
            drop(pair.0.lock().unwrap());
        }
        for n in 1..=8 {
            pair.1.notify_one();
            while pair.0.lock().unwrap().len() < n {
                thread::yield_now();
            }
        }
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(*pair.0.lock().unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
    });
}

#[test]
fn waits_while() {
    everywhere(|world| {
        let pair = pair(0);
        let other = Arc::clone(&pair);
        let thread = world.spawn(move || {
            for _ in 0..10 {
                *other.0.lock().unwrap() += 1;
                other.1.notify_one();
                thread::yield_now();
            }
        });
        let mut calls = 0;
        let guard = pair
            .1
            .wait_while(pair.0.lock().unwrap(), |n| {
                calls += 1;
                *n < 10
            })
            .unwrap();
        assert_eq!(*guard, 10);
        assert!(calls <= 11);
        // A condition that is true already is not waited for.
        drop(pair.1.wait_while(guard, |n| *n < 10).unwrap());
        thread.end();
    });
}

#[test]
fn times_out() {
    everywhere(|_| {
        let (mutex, condvar) = (Mutex::new(()), Condvar::new());
        let begin = Instant::now();
        let (guard, result) = condvar.wait_timeout(mutex.lock().unwrap(), micros(2000)).unwrap();
        assert!(result.timed_out());
        assert!(begin.elapsed() >= micros(2000));
        let (guard, result) = condvar.wait_timeout(guard, Duration::ZERO).unwrap();
        assert!(result.timed_out());
        let begin = Instant::now();
        let (guard, result) = condvar.wait_timeout_while(guard, micros(2000), |_| true).unwrap();
        assert!(result.timed_out() && begin.elapsed() >= micros(2000));
        let (guard, result) = condvar.wait_timeout_while(guard, Duration::ZERO, |_| false).unwrap();
        assert!(!result.timed_out());
        #[expect(deprecated)]
        let (guard, in_time) = condvar.wait_timeout_ms(guard, 1).unwrap();
        assert!(!in_time);
        drop(guard);
        // The waiter has left the queue each time. Otherwise this call would touch it.
        condvar.notify_all();
    });
}

#[test]
fn is_notified_in_time() {
    everywhere(|world| {
        for limit in [Duration::from_secs(1000), Duration::MAX] {
            let pair = pair(false);
            let other = Arc::clone(&pair);
            let guard = pair.0.lock().unwrap();
            let thread = world.spawn(move || {
                *other.0.lock().unwrap() = true;
                other.1.notify_one();
            });
            let (guard, result) = pair.1.wait_timeout_while(guard, limit, |ready| !*ready).unwrap();
            assert!(*guard && !result.timed_out());
            drop(guard);
            thread.end();
        }
    });
}

#[test]
fn loses_no_notification_between_unlock_and_wait() {
    everywhere(|world| {
        const ROUNDS: usize = 2000;
        // Two threads take turns, and each wakes the other exactly once per turn. If one
        // notification were lost, both would wait for ever.
        let pair = pair(0_usize);
        let threads = [0, 1].map(|me| {
            let pair = Arc::clone(&pair);
            world.spawn(move || {
                for round in 0..ROUNDS {
                    let mut turn = pair.0.lock().unwrap();
                    while *turn != 2 * round + me {
                        turn = pair.1.wait(turn).unwrap();
                    }
                    *turn += 1;
                    drop(turn);
                    pair.1.notify_one();
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(*pair.0.lock().unwrap(), 2 * ROUNDS);
    });
}

#[test]
fn a_timeout_swallows_no_notification() {
    everywhere(|world| {
        let rounds = if world.kind == Kind::Green { 500 } else { 100 };
        for round in 0..rounds {
            let mut random = Random::new(round);
            // The number of threads that are about to wait: each of the two adds one before it
            // waits.
            let pair = pair(0);
            let limit = micros(random.below(150));
            let (first, second) = (Arc::clone(&pair), Arc::clone(&pair));
            let impatient = world.spawn(move || {
                let mut guard = first.0.lock().unwrap();
                *guard += 1;
                let (_guard, result) = first.1.wait_timeout(guard, limit).unwrap();
                // The thread that gets the notification passes it on. A thread that has timed out
                // just ends.
                if !result.timed_out() {
                    first.1.notify_one();
                }
            });
            let patient = world.spawn(move || {
                let mut guard = second.0.lock().unwrap();
                *guard += 1;
                drop(second.1.wait(guard).unwrap());
            });
            while *pair.0.lock().unwrap() != 2 {
                thread::yield_now();
            }
            (0..random.below(2000)).for_each(|_| std::hint::spin_loop());
            if random.below(2) == 0 {
                thread::sleep(micros(random.below(150)));
            }
            pair.1.notify_one();
            patient.end();
            impatient.end();
        }
    });
}

#[test]
fn a_buffer_with_two_conditions() {
    everywhere(|world| {
        const EACH: usize = 500;
        struct Buffer {
            items: Mutex<std::collections::VecDeque<usize>>,
            not_empty: Condvar,
            not_full: Condvar,
        }
        let buffer =
            Arc::new(Buffer { items: Mutex::default(), not_empty: Condvar::new(), not_full: Condvar::new() });
        let sum = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..6)
            .map(|n| {
                let (buffer, sum) = (Arc::clone(&buffer), Arc::clone(&sum));
                world.spawn(move || {
                    let mut random = Random::new(n);
                    for i in 1..=EACH {
                        if n < 3 {
                            let full = |items: &mut std::collections::VecDeque<_>| items.len() == 3;
                            let items = buffer.items.lock().unwrap();
                            buffer.not_full.wait_while(items, full).unwrap().push_back(i);
                            buffer.not_empty.notify_one();
                        } else {
                            let mut items = buffer.items.lock().unwrap();
                            let item = loop {
                                match items.pop_front() {
                                    Some(item) => break item,
                                    None if random.below(2) == 0 => {
                                        items = buffer.not_empty.wait(items).unwrap();
                                    }
                                    None => {
                                        let limit = micros(random.below(100));
                                        items = buffer.not_empty.wait_timeout(items, limit).unwrap().0;
                                    }
                                }
                            };
                            drop(items);
                            buffer.not_full.notify_one();
                            sum.fetch_add(item, Relaxed);
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
        assert_eq!(sum.load(Relaxed), 3 * EACH * (EACH + 1) / 2);
    });
}

#[test]
fn may_be_used_with_two_mutexes() {
    everywhere(|world| {
        let condvar = Arc::new(Condvar::new());
        let ready = Arc::new(AtomicBool::new(false));
        let (inside, is_inside) = channel();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (condvar, ready, inside) = (Arc::clone(&condvar), Arc::clone(&ready), inside.clone());
                world.spawn(move || {
                    let mutex = Mutex::new(());
                    inside.send(()).unwrap();
                    let guard = mutex.lock().unwrap();
                    // No mutex guards `ready`, so look again now and then.
                    let waited = |(guard, _)| guard;
                    let mut guard = waited(condvar.wait_timeout(guard, micros(500)).unwrap());
                    while !ready.load(Relaxed) {
                        guard = waited(condvar.wait_timeout(guard, micros(500)).unwrap());
                    }
                })
            })
            .collect();
        is_inside.recv().unwrap();
        is_inside.recv().unwrap();
        ready.store(true, Relaxed);
        condvar.notify_all();
        threads.into_iter().for_each(|thread| thread.end());
    });
}

#[test]
fn tells_of_poison() {
    everywhere(|world| {
        let pair = pair(0);
        let other = Arc::clone(&pair);
        let guard = pair.0.lock().unwrap();
        let thread = world.spawn(move || {
            let mut guard = other.0.lock().unwrap();
            *guard = 1;
            other.1.notify_one();
            panic!("on purpose");
        });
        let poisoned = pair.1.wait(guard).unwrap_err();
        assert_eq!(**poisoned.get_ref(), 1);
        let guard = poisoned.into_inner();
        let (guard, result) = pair.1.wait_timeout(guard, micros(100)).unwrap_err().into_inner();
        assert!(result.timed_out());
        // Long enough that the wait begins before it is over: only a wait tells of the poison.
        let wait = micros(20_000);
        let (guard, _) = pair.1.wait_timeout_while(guard, wait, |_| true).unwrap_err().into_inner();
        drop(pair.1.wait_while(guard, |n| *n != 1).unwrap());
        assert!(thread.join().is_err());
    });
}

#[test]
fn a_barrier_made_of_it() {
    everywhere(|world| {
        const THREADS: usize = 8;
        const ROUNDS: usize = 100;
        // (how many have come, which round it is)
        let pair = pair((0, 0));
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let pair = Arc::clone(&pair);
                world.spawn(move || {
                    for round in 0..ROUNDS {
                        let mut state = pair.0.lock().unwrap();
                        assert_eq!(state.1, round);
                        state.0 += 1;
                        if state.0 == THREADS {
                            *state = (0, round + 1);
                            pair.1.notify_all();
                        } else {
                            drop(pair.1.wait_while(state, |state| state.1 == round).unwrap());
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.end());
    });
}
