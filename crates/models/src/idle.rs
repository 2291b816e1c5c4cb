//! Workers that search and sleep, and unstarted threads that others queue.
//!
//! To keep the number of interleavings down, a worker that sleeps without a wake-up leaves the
//! model. The invariant is checked when all have left: if a thread is still queued, a worker has
//! been woken for it.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize as Plain},
    },
};

use crate::{
    atomic::{AtomicUsize, Bug, Ordering::Relaxed, without_fence},
    harness::{self, Driver, spawn},
    library::{
        idle::{Idle, Sleeper},
        sleep_flag::SleepFlag,
    },
};

/// A mistake of one of the workers or spawners.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// The waker has no fence between queueing a thread and looking for searchers and sleepers.
    WakerHasNoFence,
    /// The worker has no fence between setting its flag and the last look.
    WorkerHasNoFence,
    /// The worker counts as a searcher until after the last look.
    CountDroppedLate,
    /// The worker counts as away only after the last look.
    CountedAwayLate,
    /// The worker has no last look.
    NoLastLook,
    /// A worker that was woken to search doesn't know that it counts as a searcher.
    WakeUpForgotten,
    /// The last searcher finds a thread and wakes no other worker.
    NobodyWokenOnFinding,
    /// A worker that is busy after a grace sleep wakes no other worker.
    NobodyWokenAfterGrace,
    /// A worker ends its grace sleep only when it sleeps again.
    GraceEndsLate,
}

/// The first action of the first worker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Searches,
    /// A grace sleep, and then a search.
    Grace,
    /// A grace sleep that is ended by other work, which keeps the worker for ever.
    GraceThenBusy,
}

/// The place where unstarted threads are queued. They are only counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Queue {
    /// The runtime's common queue.
    Injector,
    /// The deque of a worker that is busy.
    Worker,
}

struct Worker {
    flag: SleepFlag,
    driver: Arc<Driver>,
    queued: AtomicUsize,
}

impl Worker {
    fn new() -> Self {
        Self { flag: SleepFlag::new(), driver: Driver::new(), queued: AtomicUsize::new(0) }
    }
}

impl Sleeper for Worker {
    fn flag(&self) -> &SleepFlag {
        &self.flag
    }

    fn fullness(&self) -> usize {
        0
    }

    fn has_mail(&self) -> bool {
        false
    }

    fn has_unstarted(&self) -> bool {
        self.queued.load(Relaxed) != 0
    }
}

struct Runtime {
    mistake: Mistake,
    /// Whether a thread runs for ever once it has started.
    hogs: bool,
    /// The last one is busy for ever.
    workers: Vec<Worker>,
    idle: Idle,
    queue: Queue,
    injected: AtomicUsize,
    /// For the check at the end: how many threads are queued, whether a worker has left awake, and
    /// how many threads of the model have not left.
    left: Plain,
    awake: AtomicBool,
    here: Plain,
}

impl Runtime {
    fn wake_searcher(&self, only: bool) {
        let woken = match self.mistake {
            Mistake::WakerHasNoFence => without_fence(|| self.idle.wake_searcher(&self.workers, only)),
            _ => self.idle.wake_searcher(&self.workers, only),
        };
        if let Some(worker) = woken {
            worker.driver.wake();
        }
    }

    /// The counter of the queue that this model uses.
    fn queued(&self) -> &AtomicUsize {
        match self.queue {
            Queue::Injector => &self.injected,
            Queue::Worker => &self.workers[self.workers.len() - 1].queued,
        }
    }

    fn injected(&self) -> usize {
        self.injected.load(Relaxed)
    }

    fn spawn(&self, count: usize) {
        for _ in 0..count {
            let alone = self.queued().fetch_add(1, Relaxed) == 0;
            self.left.fetch_add(1, Relaxed);
            self.wake_searcher(alone && self.queue == Queue::Worker);
        }
        self.leave();
    }

    fn pop(&self) -> bool {
        let mut queued = self.queued().load(Relaxed);
        while queued != 0 {
            match self.queued().compare_exchange(queued, queued - 1, Relaxed, Relaxed) {
                Ok(_) => {
                    self.left.fetch_sub(1, Relaxed);
                    return true;
                }
                Err(now) => queued = now,
            }
        }
        false
    }

    /// A searcher stops, since it has found a thread.
    fn wake_next(&self) {
        let more = self.idle.end_with_thread(&self.workers, || self.injected());
        if more && self.mistake != Mistake::NobodyWokenOnFinding {
            self.wake_searcher(false);
        }
    }

    /// A worker's loop, as in `scheduler::worker_loop`.
    fn work(&self, worker: &Worker, first: First) {
        let (mut searching, mut again) = (false, false);
        if first != First::Searches {
            // The grace sleep was counted before the threads of the model began.
            worker.flag.prepare();
            searching = worker.flag.finish();
            self.idle.come_back();
            if self.mistake != Mistake::GraceEndsLate {
                self.idle.end_grace();
                searching = searching || self.idle.begin(1);
            }
        }
        if first == First::GraceThenBusy {
            if searching && self.mistake != Mistake::NobodyWokenAfterGrace {
                self.wake_next();
            }
            return self.leave();
        }
        loop {
            searching = searching || self.idle.begin(1);
            if again && !searching {
                // Another worker is the searcher. This one would look again and again.
                self.awake.store(true, Relaxed);
                break;
            }
            if searching && self.pop() {
                searching = false;
                self.wake_next();
                if self.hogs {
                    break;
                }
                continue;
            }
            let late = self.mistake == Mistake::CountDroppedLate;
            if searching && !late {
                self.idle.end_search();
            }
            let go_to_sleep = || self.idle.go_to_sleep(worker, &self.workers, || self.injected());
            again = match self.mistake {
                Mistake::WorkerHasNoFence => !without_fence(go_to_sleep),
                Mistake::NoLastLook => {
                    go_to_sleep();
                    false
                }
                Mistake::CountedAwayLate => {
                    worker.flag.prepare();
                    let seen = self.queued().load(Relaxed) != 0;
                    self.idle.leave();
                    seen
                }
                _ => !go_to_sleep(),
            };
            if searching && late {
                self.idle.end_search();
            }
            if !again && !worker.driver.take() {
                break;
            }
            searching = worker.flag.finish() && self.mistake != Mistake::WakeUpForgotten;
            self.idle.come_back();
        }
        if first != First::Searches && self.mistake == Mistake::GraceEndsLate {
            self.idle.end_grace();
        }
        self.leave();
    }

    fn leave(&self) {
        if self.here.fetch_sub(1, Relaxed) == 1 && self.left.load(Relaxed) != 0 {
            let woken = self.workers.iter().any(|worker| worker.driver.is_woken());
            assert!(woken || self.awake.load(Relaxed), "a thread is stranded");
        }
    }
}

std::thread_local! {
    /// The queue of the models that run on this OS thread.
    static QUEUE: Cell<Queue> = const { Cell::new(Queue::Injector) };
}

/// Runs `workers` workers, and `spawners` that queue `each` threads each.
fn run(workers: usize, spawners: usize, each: usize, hogs: bool, mistake: Mistake) {
    run_after(First::Searches, workers, spawners, each, hogs, mistake);
}

fn run_after(first: First, workers: usize, spawners: usize, each: usize, hogs: bool, mistake: Mistake) {
    let runtime = Arc::new(Runtime {
        mistake,
        hogs,
        workers: (0..=workers).map(|_| Worker::new()).collect(),
        idle: Idle::new(),
        queue: QUEUE.get(),
        injected: AtomicUsize::new(0),
        left: Plain::new(0),
        awake: AtomicBool::new(false),
        here: Plain::new(workers + spawners),
    });
    if first != First::Searches {
        runtime.idle.begin_grace();
        runtime.idle.leave();
    }
    for i in 0..workers {
        let runtime = runtime.clone();
        let first = if i == 0 { first } else { First::Searches };
        spawn(move || runtime.work(&runtime.workers[i], first));
    }
    for _ in 1..spawners {
        let runtime = runtime.clone();
        spawn(move || runtime.spawn(each));
    }
    runtime.spawn(each);
}

/// Checks the model with each of the queues.
fn check(preemptions: Option<usize>, model: impl Fn() + Sync + Send + Copy + 'static) {
    for queue in [Queue::Injector, Queue::Worker] {
        QUEUE.set(queue);
        harness::check(preemptions, model);
    }
}

fn finds(model: impl Fn() + Sync + Send + 'static) {
    harness::finds(Bug::None, "a thread is stranded", model);
}

#[test]
fn no_thread_is_stranded() {
    check(Some(2), || run(2, 1, 1, false, Mistake::None));
}

#[test]
fn one_searcher_is_enough_for_two_threads() {
    check(Some(3), || run(1, 1, 2, false, Mistake::None));
}

#[test]
fn two_spawners_rely_on_each_other() {
    check(Some(2), || run(1, 2, 1, false, Mistake::None));
}

#[test]
fn a_finder_wakes_the_next() {
    check(Some(2), || run(2, 1, 2, true, Mistake::None));
}

#[test]
fn a_grace_sleeper_searches_afterwards() {
    check(Some(3), || run_after(First::Grace, 1, 1, 2, false, Mistake::None));
}

#[test]
fn a_busy_grace_sleeper_wakes_another() {
    check(Some(2), || run_after(First::GraceThenBusy, 2, 1, 1, false, Mistake::None));
}

fn finds_mistake(workers: usize, each: usize, hogs: bool, mistake: Mistake) {
    finds(move || run(workers, 1, each, hogs, mistake));
}

#[test]
fn finds_a_waker_without_a_fence() {
    finds_mistake(1, 1, false, Mistake::WakerHasNoFence);
}

#[test]
fn finds_a_worker_without_a_fence() {
    finds_mistake(1, 1, false, Mistake::WorkerHasNoFence);
}

#[test]
fn finds_a_count_dropped_late() {
    finds_mistake(1, 1, false, Mistake::CountDroppedLate);
}

#[test]
fn finds_a_worker_counted_away_late() {
    finds_mistake(1, 1, false, Mistake::CountedAwayLate);
}

#[test]
fn finds_a_missing_last_look() {
    finds_mistake(1, 1, false, Mistake::NoLastLook);
}

#[test]
fn finds_a_forgotten_wake_up() {
    finds_mistake(1, 2, false, Mistake::WakeUpForgotten);
}

#[test]
fn finds_a_finder_that_wakes_nobody() {
    finds_mistake(2, 2, true, Mistake::NobodyWokenOnFinding);
}

#[test]
fn finds_a_grace_sleep_after_which_nobody_is_woken() {
    // The thread is alone in its worker's queue, so its spawner relies on the grace sleep.
    QUEUE.set(Queue::Worker);
    finds(|| run_after(First::GraceThenBusy, 2, 1, 1, false, Mistake::NobodyWokenAfterGrace));
}

#[test]
fn finds_a_grace_sleep_that_ends_late() {
    QUEUE.set(Queue::Worker);
    finds(|| run_after(First::Grace, 1, 1, 2, false, Mistake::GraceEndsLate));
}
