//! Locks under seeded stress. Threads make random calls on them, some with deadlines, and some
//! threads panic. Each run prints its seed; `GREENTHREAD_TEST_SEED` repeats one.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{SystemTime, UNIX_EPOCH},
};

use greenthread::{
    sync::{
        Arc, Barrier, Condvar, Mutex, OnceLock, PoisonError, ReentrantLock, RwLock, RwLockWriteGuard,
        Semaphore, WaitGroup,
    },
    thread,
};

use crate::common::world::{Kind, Random, everywhere, micros};

const THREADS: usize = 6;
const PERMITS: usize = 3;

/// The state that the threads share. Each pair of counters is changed with its lock held, and never
/// seen with different values.
struct Shared {
    mutex: Mutex<(usize, usize)>,
    rwlock: RwLock<(usize, usize)>,
    reentrant: ReentrantLock<(AtomicUsize, AtomicUsize)>,
    semaphore: Semaphore,
    inside: AtomicUsize,
    /// Tokens that threads put in and wait for.
    tokens: Mutex<usize>,
    more: Condvar,
    barrier: Barrier,
    once: [OnceLock<usize>; 8],
}

/// A record of what a thread has done, to be compared with the counters in the end.
#[derive(Default)]
struct Done {
    mutex: usize,
    rwlock: usize,
    reentrant: usize,
    put: usize,
    taken: usize,
}

impl Shared {
    fn act(&self, me: usize, random: &mut Random, done: &mut Done) {
        match random.below(12) {
            0..3 => {
                let mut guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
                assert_eq!(guard.0, guard.1);
                guard.0 += 1;
                random.dawdle();
                guard.1 += 1;
                done.mutex += 1;
                if random.below(8) == 0 {
                    // The panic unlocks and poisons the lock. All other threads ignore the poison.
                    let died = catch_unwind(AssertUnwindSafe(|| {
                        let _guard = guard;
                        std::panic::resume_unwind(Box::new(()));
                    }));
                    assert!(died.is_err());
                }
            }
            3..5 => {
                let guard = self.rwlock.read().unwrap_or_else(PoisonError::into_inner);
                let before = *guard;
                assert_eq!(before.0, before.1);
                random.dawdle();
                assert_eq!(*guard, before);
            }
            5..7 => {
                let guard = match random.below(2) {
                    0 => self.rwlock.try_write().ok(),
                    _ => Some(self.rwlock.write().unwrap_or_else(PoisonError::into_inner)),
                };
                if let Some(mut guard) = guard {
                    guard.0 += 1;
                    random.dawdle();
                    guard.1 += 1;
                    done.rwlock += 1;
                    if random.below(2) == 0 {
                        let guard = RwLockWriteGuard::downgrade(guard);
                        random.dawdle();
                        assert_eq!(guard.0, guard.1);
                    }
                }
            }
            7 => {
                let outer = self.reentrant.lock();
                outer.0.fetch_add(1, Relaxed);
                random.dawdle();
                self.reentrant.lock().1.fetch_add(1, Relaxed);
                random.dawdle();
                assert_eq!(outer.0.load(Relaxed), outer.1.load(Relaxed));
                done.reentrant += 1;
            }
            8 | 9 => {
                let n = 1 + random.below(PERMITS as u64) as usize;
                let permits = match random.below(3) {
                    0 => self.semaphore.try_acquire_many(n),
                    1 => self.semaphore.acquire_many_timeout(n, micros(random.below(80))),
                    _ => Some(self.semaphore.acquire_many(n)),
                };
                if let Some(permits) = permits {
                    assert!(self.inside.fetch_add(n, Relaxed) + n <= PERMITS);
                    random.dawdle();
                    self.inside.fetch_sub(n, Relaxed);
                    drop(permits);
                }
            }
            10 => {
                let n = random.below(3) as usize;
                *self.tokens.lock().unwrap() += n;
                done.put += n;
                (0..n).for_each(|_| self.more.notify_one());
                let tokens = self.tokens.lock().unwrap();
                let limit = micros(random.below(100));
                let (mut tokens, result) = self.more.wait_timeout_while(tokens, limit, |n| *n == 0).unwrap();
                assert_eq!(result.timed_out(), *tokens == 0);
                if *tokens != 0 {
                    *tokens -= 1;
                    done.taken += 1;
                }
            }
            _ => {
                let cell = &self.once[random.below(8) as usize];
                let value = *cell.get_or_init(|| {
                    random.dawdle();
                    me
                });
                assert!(value < THREADS);
                assert_eq!(cell.get(), Some(&value));
            }
        }
    }
}

#[test]
fn everything_at_once() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed =
        std::env::var("GREENTHREAD_TEST_SEED").map_or(now.as_nanos() as u64, |seed| seed.parse().unwrap());
    eprintln!("GREENTHREAD_TEST_SEED={seed}");
    everywhere(move |world| {
        let steps = if world.kind == Kind::Green { 400 } else { 150 };
        let shared = Arc::new(Shared {
            mutex: Mutex::default(),
            rwlock: RwLock::default(),
            reentrant: ReentrantLock::default(),
            semaphore: Semaphore::new(PERMITS),
            inside: AtomicUsize::new(0),
            tokens: Mutex::new(0),
            more: Condvar::new(),
            barrier: Barrier::new(THREADS),
            once: [const { OnceLock::new() }; 8],
        });
        let group = WaitGroup::new();
        let threads: Vec<_> = (0..THREADS)
            .map(|me| {
                let (shared, member) = (Arc::clone(&shared), group.clone());
                world.spawn(move || {
                    let mut random = Random::new(seed.wrapping_mul(31).wrapping_add(me as u64));
                    let mut done = Done::default();
                    for step in 0..steps {
                        if step % 50 == 0 {
                            shared.barrier.wait();
                        }
                        shared.act(me, &mut random, &mut done);
                        if random.below(4) == 0 {
                            thread::yield_now();
                        }
                    }
                    drop(member);
                    done
                })
            })
            .collect();
        group.wait();
        let done = threads.into_iter().map(|thread| thread.end()).fold(Done::default(), |mut all, one| {
            all.mutex += one.mutex;
            all.rwlock += one.rwlock;
            all.reentrant += one.reentrant;
            all.put += one.put;
            all.taken += one.taken;
            all
        });
        let mutex = *shared.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(mutex, (done.mutex, done.mutex));
        assert_eq!(*shared.rwlock.read().unwrap(), (done.rwlock, done.rwlock));
        assert_eq!(shared.reentrant.lock().1.load(Relaxed), done.reentrant);
        assert_eq!(shared.semaphore.available_permits(), PERMITS);
        assert_eq!(*shared.tokens.lock().unwrap(), done.put - done.taken);
    });
}
