//! In every order of the ends of a thread and its handle, the thread's memory and its result are
//! freed once.

use std::{
    alloc::Layout,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicIsize, Ordering::SeqCst},
    },
};

use greenthread::thread::{self, JoinHandle};

use crate::{
    alone,
    common::{Random, runtime},
};

/// The number of chunks of the size of this file's threads' blocks.
static BLOCKS: AtomicIsize = AtomicIsize::new(0);

/// Whether arrays as long as the injector's batches are refused; and the number of refusals.
static REFUSES_BATCHES: AtomicBool = AtomicBool::new(false);
static REFUSED: AtomicIsize = AtomicIsize::new(0);

/// The data that a closure of this file owns. Nothing else here is as large.
type Load = [u64; 80];

fn is_block(layout: Layout) -> bool {
    (size_of::<Load>()..2 * size_of::<Load>()).contains(&layout.size()) && layout.align() == 16
}

/// Whether the allocator refuses a chunk. Refusals are counted.
pub(crate) fn is_refused(layout: Layout) -> bool {
    const WORD: usize = size_of::<usize>();
    let is_batch = (128 * WORD..138 * WORD).contains(&layout.size()) && layout.align() == WORD;
    let refused = is_batch && REFUSES_BATCHES.load(SeqCst);
    if refused {
        REFUSED.fetch_add(1, SeqCst);
    }
    refused
}

/// Adds `number` to the number of blocks, if the chunk is a block.
pub(crate) fn count(layout: Layout, number: isize) {
    if is_block(layout) {
        BLOCKS.fetch_add(number, SeqCst);
    }
}

/// A result that is counted as long as it lives.
struct Counted(Arc<AtomicIsize>);

impl Counted {
    fn new(count: &Arc<AtomicIsize>) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// Spawns a thread that yields a few times.
fn spawn(results: &Arc<AtomicIsize>, yields: u64) -> JoinHandle<Counted> {
    let (load, results): (Load, _) = ([1; 80], results.clone());
    thread::spawn(move || {
        (0..yields).for_each(|_| thread::yield_now());
        assert_eq!(std::hint::black_box(load).iter().sum::<u64>(), 80);
        Counted::new(&results)
    })
}

/// Ends a thread and its handle in the way with this number.
fn part(way: u64, random: &mut Random, results: &Arc<AtomicIsize>) {
    let thread = spawn(results, random.below(3));
    match way {
        // It has not started, and is the newest: it runs inline.
        0 => drop(thread.join().unwrap()),
        // It is not the newest, so it may run on its own stack. The joiner waits for it, or it has
        // ended.
        1 => {
            let other = spawn(results, random.below(3));
            drop(thread.join().unwrap());
            drop(other.join().unwrap());
        }
        // It has not started.
        2 => drop(thread),
        // It may have started.
        3 => {
            (0..random.below(4)).for_each(|_| thread::yield_now());
            drop(thread);
        }
        // It has ended.
        4 => {
            while !thread.is_finished() {
                thread::yield_now();
            }
            drop(thread);
        }
        5 => {
            while !thread.is_finished() {
                thread::yield_now();
            }
            drop(thread.join().unwrap());
        }
        // Its name outlives it.
        6 => {
            let name = thread.thread().clone();
            drop(thread.join().unwrap());
            name.unpark();
        }
        7 => {
            let name = thread.thread().clone();
            drop(thread);
            (0..random.below(4)).for_each(|_| thread::yield_now());
            name.unpark();
        }
        // An OS thread waits for it.
        8 => thread::unblock(move || drop(thread.join().unwrap())),
        _ => {
            let load: Load = [1; 80];
            thread::scope(|scope| {
                let (one, _other) = (scope.spawn(move || load), scope.spawn(move || load));
                assert_eq!(one.join().unwrap(), load);
            });
        }
    }
}

#[test]
fn many_threads_can_be_queued_without_memory() {
    alone(|| {
        for workers in [1, 2] {
            let (runtime, results) = (runtime(workers), Arc::new(AtomicIsize::new(0)));
            runtime.run(|| {
                for refuses in [true, false, true] {
                    let before = REFUSED.load(SeqCst);
                    // A sibling that is busy takes no thread out of the spawner's deque.
                    let (busy, there) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
                    let hog = (workers == 2).then(|| {
                        let (busy, there) = (busy.clone(), there.clone());
                        thread::spawn(move || {
                            there.store(true, SeqCst);
                            while busy.load(SeqCst) {}
                        })
                    });
                    while hog.is_some() && !there.load(SeqCst) {}
                    REFUSES_BATCHES.store(refuses, SeqCst);
                    let mut threads = Vec::with_capacity(2000);
                    threads.extend((0..2000).map(|n| spawn(&results, n % 3)));
                    let refused = REFUSED.load(SeqCst) != before;
                    busy.store(false, SeqCst);
                    hog.into_iter().for_each(|hog| hog.join().expect("no panic"));
                    REFUSES_BATCHES.store(false, SeqCst);
                    assert_eq!(refused, refuses);
                    threads.into_iter().for_each(|thread| drop(thread.join().expect("no panic")));
                    assert_eq!(results.load(SeqCst), 0);
                }
            });
        }
    });
}

#[test]
fn every_block_goes_once() {
    alone(|| {
        for workers in [1, 2, 4] {
            let blocks = BLOCKS.load(SeqCst);
            let results = Arc::new(AtomicIsize::new(0));
            let counted = results.clone();
            let runtime = runtime(workers);
            runtime.run(move || {
                let threads: Vec<_> = (0..3)
                    .map(|seed| {
                        let results = counted.clone();
                        thread::spawn(move || {
                            let mut random = Random::new(seed + 1);
                            (0..2000).for_each(|_| part(random.below(10), &mut random, &results));
                        })
                    })
                    .collect();
                threads.into_iter().for_each(|thread| thread.join().unwrap());
            });
            assert!(BLOCKS.load(SeqCst) > blocks, "the test counts nothing");
            drop(runtime);
            assert_eq!(results.load(SeqCst), 0, "results");
            assert_eq!(BLOCKS.load(SeqCst), blocks, "blocks, {workers} workers");
        }
    });
}
