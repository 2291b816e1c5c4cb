//! Random threads do everything at once: spawn, park, unpark, steal, sleep, panic, scopes. Runtimes
//! come and go.
//!
//! `GREENTHREAD_TEST_SECONDS` says for how long (3 if not set), `GREENTHREAD_TEST_SEED` with which
//! seed; both are printed.

use std::{
    env,
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use greenthread::{
    sync::{Mutex, mpsc},
    thread,
};

use crate::common::{Random, runtime, worker_counts};

/// The counts of all threads of a round.
#[derive(Default)]
struct Counts {
    spawned: AtomicUsize,
    ended: AtomicUsize,
}

/// Counts a thread's end, also when it unwinds.
struct Ends(Arc<Counts>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, SeqCst);
    }
}

/// The main function of a thread: a few random actions.
fn live(seed: u64, depth: u32, counts: &Arc<Counts>) {
    let mut random = Random::new(seed);
    let mut children = Vec::new();
    for _ in 0..random.below(6) {
        match random.below(if depth == 0 { 7 } else { 12 }) {
            0 | 1 => (0..random.below(20)).for_each(|_| thread::yield_now()),
            2 => thread::sleep(Duration::from_micros(random.below(300))),
            3 => {
                let me = thread::current();
                let from_os = random.below(10) == 0;
                let wake = move || me.unpark();
                if from_os {
                    std::thread::spawn(wake);
                } else {
                    spawn(random.below(u64::MAX), 0, counts, move |_, _, _| wake());
                }
                thread::park();
            }
            4 => thread::park_timeout(Duration::from_micros(random.below(200))),
            5 => {
                let (send, receive) = mpsc::sync_channel(random.below(3) as usize);
                let many = random.below(20);
                spawn(random.below(u64::MAX), 0, counts, move |_, _, _| {
                    (0..many).for_each(|n| send.send(n).unwrap());
                });
                assert_eq!(receive.iter().collect::<Vec<_>>(), (0..many).collect::<Vec<_>>());
            }
            6 => drop(thread::unblock(|| vec![1; 100])),
            7 => {
                let total = Mutex::new(0);
                let many = random.below(8);
                thread::scope(|s| {
                    for n in 0..many {
                        let total = &total;
                        s.spawn(move || {
                            thread::yield_now();
                            *total.lock().unwrap() += n;
                        });
                    }
                });
                assert_eq!(total.into_inner().unwrap(), many * many.saturating_sub(1) / 2);
            }
            8 => {
                let bad = spawn(random.below(u64::MAX), depth - 1, counts, |seed, depth, counts| {
                    live(seed, depth, counts);
                    resume_unwind(Box::new(seed));
                });
                assert!(bad.join().is_err());
            }
            _ => children.push(spawn(random.below(u64::MAX), depth - 1, counts, live)),
        }
    }
    // Some children are joined, others are detached.
    for child in children {
        if random.below(4) != 0 {
            child.join().unwrap();
        }
    }
}

fn spawn(
    seed: u64,
    depth: u32,
    counts: &Arc<Counts>,
    life: impl FnOnce(u64, u32, &Arc<Counts>) + Send + 'static,
) -> thread::JoinHandle<()> {
    counts.spawned.fetch_add(1, SeqCst);
    let counts = counts.clone();
    thread::spawn(move || {
        let ends = Ends(counts);
        life(seed, depth, &ends.0);
    })
}

#[test]
fn everything_at_once() {
    let number = |name: &str| env::var(name).ok().map(|value| value.parse::<u64>().expect(name));
    let seconds = number("GREENTHREAD_TEST_SECONDS").unwrap_or(3);
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = number("GREENTHREAD_TEST_SEED").unwrap_or(clock);
    println!("GREENTHREAD_TEST_SEED={seed} GREENTHREAD_TEST_SECONDS={seconds}");
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut random = Random::new(seed);
    let counts_of_workers = worker_counts(&[1, 2, 3, 8]);
    let threads = AtomicU64::new(0);
    let mut rounds = 0;
    while Instant::now() < end {
        let counts = Arc::new(Counts::default());
        let workers = counts_of_workers[random.below(counts_of_workers.len() as u64) as usize];
        let rt = runtime(workers);
        // Root threads are spawned from this OS thread, a green thread and a second OS thread at
        // the same time.
        let seeds: Vec<u64> = (0..30).map(|_| random.below(u64::MAX)).collect();
        std::thread::scope(|s| {
            s.spawn(|| {
                for seed in &seeds[..10] {
                    let (seed, inner) = (*seed, counts.clone());
                    rt.spawn(move || live(seed, 4, &inner));
                }
            });
            rt.run(|| seeds[10..20].iter().for_each(|seed| drop(spawn(*seed, 4, &counts, live))));
            for seed in &seeds[20..] {
                let (seed, inner) = (*seed, counts.clone());
                rt.spawn(move || live(seed, 3, &inner)).join().unwrap();
            }
        });
        if random.below(5) == 0 {
            // The runtime is dropped on one of its own threads, which does not wait.
            let rt = Arc::new(rt);
            let inner = rt.clone();
            let last = rt.spawn(move || {
                while Arc::strong_count(&inner) > 1 {
                    thread::yield_now();
                }
            });
            drop(rt);
            last.join().unwrap();
            while counts.ended.load(SeqCst) != counts.spawned.load(SeqCst) {
                std::thread::yield_now();
            }
        } else {
            drop(rt);
        }
        assert_eq!(counts.ended.load(SeqCst), counts.spawned.load(SeqCst), "seed {seed}, round {rounds}");
        threads.fetch_add(counts.ended.load(SeqCst) as u64, SeqCst);
        rounds += 1;
    }
    println!("{rounds} runtimes, {} threads", threads.into_inner());
}
