//! Workers that search and sleep, and unstarted threads that others queue.
//!
//! To keep the number of interleavings down, a worker that sleeps with no wake-up there leaves the model. The promise
//! is looked at when all have left: what is still queued then, somebody has been woken for.

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

/// What somebody does in a wrong way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// No fence between queueing and looking for searchers and sleepers.
    CallerHasNoFence,
    /// No fence between setting the flag and the last look.
    WorkerHasNoFence,
    /// Counted as a searcher until after the last look.
    CountDroppedLate,
    /// Counted as away only after the last look.
    CountedAwayLate,
    /// No last look.
    NoLastLook,
    /// A worker that was called doesn't know that it is counted.
    CallForgotten,
    /// The last searcher, having found something, calls nobody.
    NobodyCalledOnFinding,
    /// Who has napped, and is busy now, calls nobody.
    NobodyCalledAfterNap,
    /// Who has napped does not say so until it sleeps again.
    NapEndsLate,
}

/// What the first worker does before anything else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Searches,
    /// Naps, and then searches.
    Naps,
    /// Naps until it is woken for something else, which keeps it.
    NapsThenHogs,
}

/// Where unstarted threads are queued. There is nothing to them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Queue {
    /// The one for OS threads.
    Injector,
    /// The own queue of a worker that is busy.
    Worker,
}

struct Seat {
    flag: SleepFlag,
    driver: Arc<Driver>,
    queued: AtomicUsize,
}

impl Seat {
    fn new() -> Self {
        Self { flag: SleepFlag::new(), driver: Driver::new(), queued: AtomicUsize::new(0) }
    }
}

impl Sleeper for Seat {
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
    /// Whether a thread, once run, runs for ever.
    hogs: bool,
    /// The last one is busy for ever.
    seats: Vec<Seat>,
    idle: Idle,
    queue: Queue,
    injected: AtomicUsize,
    /// For the end: what is really queued, whether a worker has left awake, how many are still here.
    left: Plain,
    awake: AtomicBool,
    here: Plain,
}

impl Runtime {
    fn call(&self, only: bool) {
        let called = match self.mistake {
            Mistake::CallerHasNoFence => without_fence(|| self.idle.wake_searcher(&self.seats, only)),
            _ => self.idle.wake_searcher(&self.seats, only),
        };
        if let Some(seat) = called {
            seat.driver.wake();
        }
    }

    /// Where the threads of this model are queued.
    fn queued(&self) -> &AtomicUsize {
        match self.queue {
            Queue::Injector => &self.injected,
            Queue::Worker => &self.seats[self.seats.len() - 1].queued,
        }
    }

    fn injected(&self) -> usize {
        self.injected.load(Relaxed)
    }

    fn spawn(&self, count: usize) {
        for _ in 0..count {
            let alone = self.queued().fetch_add(1, Relaxed) == 0;
            self.left.fetch_add(1, Relaxed);
            self.call(alone && self.queue == Queue::Worker);
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

    /// A searcher stops, having something to do.
    fn call_next(&self) {
        let more = self.idle.end_with_thread(&self.seats, || self.injected());
        if more && self.mistake != Mistake::NobodyCalledOnFinding {
            self.call(false);
        }
    }

    /// A worker's loop, as in `runtime::worker`.
    fn work(&self, seat: &Seat, first: First) {
        let (mut searching, mut again) = (false, false);
        if first != First::Searches {
            // It has been counted before anybody was here.
            seat.flag.prepare();
            searching = seat.flag.finish();
            self.idle.come_back();
            if self.mistake != Mistake::NapEndsLate {
                self.idle.end_grace();
                searching = searching || self.idle.begin(1);
            }
        }
        if first == First::NapsThenHogs {
            if searching && self.mistake != Mistake::NobodyCalledAfterNap {
                self.call_next();
            }
            return self.leave();
        }
        loop {
            searching = searching || self.idle.begin(1);
            if again && !searching {
                // Somebody else is the searcher; this one would look again and again.
                self.awake.store(true, Relaxed);
                break;
            }
            if searching && self.pop() {
                searching = false;
                self.call_next();
                if self.hogs {
                    break;
                }
                continue;
            }
            let late = self.mistake == Mistake::CountDroppedLate;
            if searching && !late {
                self.idle.end_search();
            }
            let go_to_sleep = || self.idle.go_to_sleep(seat, &self.seats, || self.injected());
            again = match self.mistake {
                Mistake::WorkerHasNoFence => !without_fence(go_to_sleep),
                Mistake::NoLastLook => {
                    go_to_sleep();
                    false
                }
                Mistake::CountedAwayLate => {
                    seat.flag.prepare();
                    let seen = self.queued().load(Relaxed) != 0;
                    self.idle.leave();
                    seen
                }
                _ => !go_to_sleep(),
            };
            if searching && late {
                self.idle.end_search();
            }
            if !again && !seat.driver.take() {
                break;
            }
            searching = seat.flag.finish() && self.mistake != Mistake::CallForgotten;
            self.idle.come_back();
        }
        if first != First::Searches && self.mistake == Mistake::NapEndsLate {
            self.idle.end_grace();
        }
        self.leave();
    }

    fn leave(&self) {
        if self.here.fetch_sub(1, Relaxed) == 1 && self.left.load(Relaxed) != 0 {
            let woken = self.seats.iter().any(|seat| seat.driver.is_woken());
            assert!(woken || self.awake.load(Relaxed), "a thread is stranded");
        }
    }
}

std::thread_local! {
    /// Where the models that run on this OS thread queue their threads.
    static QUEUE: Cell<Queue> = const { Cell::new(Queue::Injector) };
}

/// `workers` workers, and `spawners` who queue `each` threads each.
fn run(workers: usize, spawners: usize, each: usize, hogs: bool, mistake: Mistake) {
    run_after(First::Searches, workers, spawners, each, hogs, mistake);
}

fn run_after(first: First, workers: usize, spawners: usize, each: usize, hogs: bool, mistake: Mistake) {
    let runtime = Arc::new(Runtime {
        mistake,
        hogs,
        seats: (0..=workers).map(|_| Seat::new()).collect(),
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
        spawn(move || runtime.work(&runtime.seats[i], first));
    }
    for _ in 1..spawners {
        let runtime = runtime.clone();
        spawn(move || runtime.spawn(each));
    }
    runtime.spawn(each);
}

/// With each of the queues.
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
fn whoever_finds_one_calls_for_the_next() {
    check(Some(2), || run(2, 1, 2, true, Mistake::None));
}

#[test]
fn who_naps_looks_afterwards() {
    check(Some(3), || run_after(First::Naps, 1, 1, 2, false, Mistake::None));
}

#[test]
fn who_naps_and_has_no_time_calls_another() {
    check(Some(2), || run_after(First::NapsThenHogs, 2, 1, 1, false, Mistake::None));
}

fn finds_mistake(workers: usize, each: usize, hogs: bool, mistake: Mistake) {
    finds(move || run(workers, 1, each, hogs, mistake));
}

#[test]
fn finds_a_caller_without_a_fence() {
    finds_mistake(1, 1, false, Mistake::CallerHasNoFence);
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
fn finds_who_is_counted_away_late() {
    finds_mistake(1, 1, false, Mistake::CountedAwayLate);
}

#[test]
fn finds_a_missing_last_look() {
    finds_mistake(1, 1, false, Mistake::NoLastLook);
}

#[test]
fn finds_a_call_forgotten() {
    finds_mistake(1, 2, false, Mistake::CallForgotten);
}

#[test]
fn finds_a_finder_that_calls_nobody() {
    finds_mistake(2, 2, true, Mistake::NobodyCalledOnFinding);
}

#[test]
fn finds_a_nap_that_nobody_is_called_after() {
    // A thread that is alone in its worker's queue: others rely on the nap.
    QUEUE.set(Queue::Worker);
    finds(|| run_after(First::NapsThenHogs, 2, 1, 1, false, Mistake::NobodyCalledAfterNap));
}

#[test]
fn finds_a_nap_that_ends_late() {
    QUEUE.set(Queue::Worker);
    finds(|| run_after(First::Naps, 1, 1, 2, false, Mistake::NapEndsLate));
}
