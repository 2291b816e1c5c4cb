//! Cancellations at random moments, over channels, locks and semaphores: nothing is lost, and
//! nothing is held at the end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use crate::common::world::{Random, time_limit};
use greenthread::{cancel, channel, sync, thread};

/// A message that is counted.
struct Message(Arc<AtomicUsize>);

impl Drop for Message {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

fn storm(workers: usize, rounds: u64, seed: u64) {
    let _limit = time_limit(format!("a storm with {workers} workers and seed {seed}"));
    let runtime = greenthread::Runtime::builder().workers(workers).build().unwrap();
    runtime.run(move || {
        let live = Arc::new(AtomicUsize::new(0));
        let semaphore = Arc::new(sync::Semaphore::new(3));
        let mutex = Arc::new(sync::Mutex::new(0_u64));
        let (sender, receiver) = channel::bounded::<Message>(2);
        let (hand, taken) = channel::bounded::<Message>(0);
        let mut random = Random::new(seed);
        let mut threads = Vec::new();
        for _ in 0..rounds {
            let (live, semaphore, mutex) = (live.clone(), semaphore.clone(), mutex.clone());
            let (sender, receiver, hand, taken) =
                (sender.clone(), receiver.clone(), hand.clone(), taken.clone());
            let what = random.below(8);
            let own = Duration::from_micros(random.below(300));
            let work = move || {
                let message = || {
                    live.fetch_add(1, SeqCst);
                    Message(live.clone())
                };
                match what {
                    0 => drop(sender.send(message())),
                    1 => drop(receiver.recv()),
                    2 => drop(hand.send(message())),
                    3 => drop(taken.recv()),
                    4 => {
                        let _permit = semaphore.acquire();
                        thread::yield_now();
                        thread::sleep(Duration::from_micros(20));
                    }
                    5 => *mutex.lock().unwrap() += 1,
                    6 => greenthread::channel::select! {
                        recv(receiver) -> message => drop(message),
                        recv(taken) -> message => drop(message),
                        send(sender, message()) -> result => drop(result),
                    },
                    _ => {
                        let permits = semaphore.acquire_many(2);
                        _ = receiver.recv_timeout(Duration::from_micros(50));
                        drop(permits);
                    }
                }
            };
            threads.push(match random.below(3) {
                0 => thread::spawn(move || _ = cancel::timeout(own, work)),
                1 => thread::spawn(move || {
                    _ = cancel::scope(|scope| {
                        scope.spawn(move || Ok(work()));
                        thread::sleep(own);
                        Err::<(), _>(())
                    });
                }),
                _ => thread::spawn(work),
            });
            if random.below(2) == 0 {
                let at = random.below(threads.len() as u64) as usize;
                threads.swap_remove(at).cancel();
            }
            if threads.len() > 200 {
                for thread in threads.drain(..) {
                    thread.cancel();
                    _ = thread.join();
                }
            }
        }
        for thread in threads {
            thread.cancel();
            _ = thread.join();
        }
        // Those whose handles are gone may still be on their way out.
        drop((sender, hand));
        while receiver.recv().is_ok() || taken.recv().is_ok() {}
        drop((receiver, taken));
        while live.load(SeqCst) != 0 || semaphore.available_permits() != 3 {
            thread::sleep(Duration::from_micros(100));
        }
        assert!(!mutex.is_poisoned());
    });
}

#[test]
fn nothing_is_lost() {
    for workers in [1, 2, 8] {
        for seed in 0..4 {
            storm(
                workers,
                std::env::var("ROUNDS").map_or(3000, |it| it.parse().unwrap()),
                0x9E37_79B9_7F4A_7C15 ^ (seed * 77 + workers as u64),
            );
        }
    }
}
