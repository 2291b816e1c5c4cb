//! Names the threads that keep their worker to themselves.
//!
//! One OS thread takes a sample of each worker every 50 ms while any worker is awake, and sleeps
//! when all of them do; when one wakes up, all begin anew. A worker is *held up* in a sample if no
//! thread of it has given way since the sample before, or if its OS thread is blocked in the kernel
//! though the worker doesn't sleep. Others *wait* for it if they are ready or due there, or
//! unstarted where no other worker takes them. There are two reports:
//!
//! * One thread has held up its worker for `MAX_RUN` while others wait.
//! * In a window of `WINDOW` samples a worker was held up in more than half of them while others
//!   waited, by whichever threads, and none of them for `MAX_RUN`. A worker that is busy and fair
//!   gives way thousands of times between two samples, and isn't blocked in the kernel.
//!
//! Nothing here stops a worker: the text is copied while the worker's place is locked, which the
//! worker's threads don't wait for when they end, and is written by `report`.
//!
//! Invariants:
//! 1. `Watched::worker` is good while its lock is held: the worker takes it out, under the lock,
//!    before it goes.
//! 2. A task that `WorkerCore::current` names while the lock is held is alive until it is released.
//!    Its worker frees a task after `current` has changed and `is_looking` has said no, which means
//!    that a later holder of the lock sees the change; and keeps a reference if that said yes
//!    (`Worker::keep_while_watched`).

use core::{
    ptr,
    sync::atomic::{
        AtomicBool, AtomicPtr,
        Ordering::{Relaxed, SeqCst},
        fence,
    },
};
use std::{
    fmt::Write,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError},
    time::{Duration, Instant},
};

use greenthread_context::valgrind;

use super::report;
use crate::{
    sys::{
        clock::os_now,
        thread::{self, ThreadId},
    },
    task::{block::Task, worker_core::WorkerCore, worker_handle::WorkerHandle},
};

const SAMPLE: Duration = Duration::from_millis(50);
const MAX_RUN: Duration = Duration::from_millis(100);
/// The number of samples of a window: a second's.
const WINDOW: u32 = 20;
/// For how many samples after a report on a window there is no other one on the same worker.
const QUIET: u32 = 10 * WINDOW;
/// How many threads a report names at most.
const NAMED: usize = 4;

type Workers = [Arc<WorkerHandle<Task>>];

/// See the module.
#[derive(Debug)]
pub(crate) struct Watchdog {
    places: Box<[Mutex<Watched>]>,
    /// All workers sleep, and so does the watchdog.
    asleep: AtomicBool,
    stop: Mutex<bool>,
    changed: Condvar,
}

#[derive(Debug)]
struct Watched {
    worker: AtomicPtr<WorkerCore>,
    thread: ThreadId,
    switches: u32,
    /// Since when it has made no switch, by the operating system's clock (no thread waits for
    /// that), and whether it has been told.
    since: Instant,
    told: bool,
    is_held_up: bool,
    window: Window,
}

#[derive(Debug, Default)]
struct Window {
    samples: u32,
    held_up: u32,
    /// By whom, and in how many samples.
    by: Vec<(String, u32)>,
    quiet: u32,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watchdog {
    pub(crate) fn new(workers: usize) -> Self {
        let watched = || Watched {
            worker: AtomicPtr::new(ptr::null_mut()),
            thread: thread::id(),
            switches: 0,
            since: os_now(),
            told: false,
            is_held_up: false,
            window: Window::default(),
        };
        Self {
            places: (0..workers).map(|_| Mutex::new(watched())).collect(),
            asleep: AtomicBool::new(false),
            stop: Mutex::new(false),
            changed: Condvar::new(),
        }
    }

    /// The worker, on whose OS thread this is called, is there; or with null has gone.
    pub(crate) fn watch(&self, index: usize, worker: *const WorkerCore) {
        let mut watched = lock(&self.places[index]);
        *watched.worker.get_mut() = worker.cast_mut();
        watched.thread = thread::id();
        watched.since = os_now();
    }

    /// Whether the watchdog may be looking at a thread that was the worker's current one. Doesn't
    /// wait.
    pub(super) fn is_looking(&self, index: usize) -> bool {
        matches!(self.places[index].try_lock(), Err(TryLockError::WouldBlock))
    }

    /// A worker has woken up.
    pub(crate) fn wake(&self) {
        fence(SeqCst);
        if self.asleep.load(Relaxed) && self.asleep.swap(false, Relaxed) {
            drop(lock(&self.stop));
            self.changed.notify_one();
        }
    }

    /// The runtime has ended.
    pub(crate) fn stop(&self) {
        *lock(&self.stop) = true;
        self.changed.notify_one();
    }

    /// The watchdog's OS thread, until the runtime ends. `injected` says how many threads lie in
    /// the common queue.
    pub(crate) fn run(&self, workers: &Workers, injected: impl Fn() -> usize) {
        while self.wait(workers) {
            self.sample(workers, injected());
        }
    }

    /// Until it is time for a sample; `false` if the runtime has ended.
    fn wait(&self, workers: &Workers) -> bool {
        let all_asleep = || workers.iter().all(|worker| worker.sleep.is_asleep());
        let mut stop = lock(&self.stop);
        if *stop {
            return false;
        }
        if all_asleep() {
            self.asleep.store(true, Relaxed);
            // With the fence in `wake`: either a worker that wakes sees that we sleep, or we see
            // that it is awake.
            fence(SeqCst);
            while all_asleep() && self.asleep.load(Relaxed) && !*stop {
                stop = self.changed.wait(stop).unwrap_or_else(PoisonError::into_inner);
            }
            self.asleep.store(false, Relaxed);
            // Nobody has held up a worker before, though no sample was taken to say so.
            self.places.iter().for_each(|place| lock(place).begin());
        }
        // A sample right after a wake-up would see a worker that has had no time.
        if !*stop {
            stop = self.changed.wait_timeout(stop, SAMPLE).unwrap_or_else(PoisonError::into_inner).0;
        }
        !*stop
    }

    fn sample(&self, workers: &Workers, injected: usize) {
        let each = || self.places.iter().enumerate();
        each().for_each(|(index, place)| lock(place).update(&workers[index]));
        // A thread in the injector waits for this worker only if no other takes it.
        let injected = injected != 0 && each().all(|(_, place)| lock(place).is_held_up);
        for (index, place) in each() {
            // The lock goes before the text is written.
            let text = lock(place).look(&workers[index], index, injected);
            if let Some(text) = text {
                report::send(text);
            }
        }
    }
}

impl Watched {
    /// Whatever is to be told of the worker begins now.
    fn begin(&mut self) {
        // SAFETY: good while the lock is held (invariant 1), as it is by the caller.
        if let Some(core) = unsafe { self.worker.get_mut().as_ref() } {
            let switches = core.switches.load(Relaxed);
            (self.switches, self.since, self.told) = (switches, os_now(), false);
        }
    }

    /// Takes in what the worker has done since the last sample.
    fn update(&mut self, handle: &WorkerHandle<Task>) {
        // SAFETY: good while the lock is held (invariant 1), as it is by the caller.
        let Some(core) = (unsafe { self.worker.get_mut().as_ref() }) else {
            self.is_held_up = true;
            return;
        };
        let switches = core.switches.load(Relaxed);
        let is_away = handle.sleep.is_away();
        let has_switched = switches != self.switches;
        if has_switched || is_away {
            (self.switches, self.since, self.told) = (switches, os_now(), false);
        }
        // Valgrind runs one OS thread at a time, and blocks the others.
        self.is_held_up =
            !is_away && (!has_switched || !valgrind::is_running() && thread::is_blocked(self.thread));
    }

    /// The report that is due, if one is.
    fn look(&mut self, handle: &WorkerHandle<Task>, index: usize, injected: bool) -> Option<String> {
        // SAFETY: as in `update`.
        let core = unsafe { self.worker.get_mut().as_ref() }?;
        let others_wait = core.ready.len() != 0
            || !handle.deque.is_empty()
            || !handle.inbox.is_empty()
            || core.pinned.len() != 0
            || core.is_late()
            || injected;
        let held_up = self.is_held_up && others_wait;
        // SAFETY: alive while the lock is held (invariant 2).
        let task = unsafe { core.current.load(Relaxed).as_ref() };
        let kept = os_now().duration_since(self.since);
        if held_up && kept >= MAX_RUN {
            let task = task.filter(|_| !self.told)?;
            self.told = true;
            return Some(alone(task, kept));
        }
        self.window.add(index, if held_up { task } else { None })
    }
}

impl Window {
    /// Takes in a sample, and who held up the worker in it.
    fn add(&mut self, index: usize, by: Option<&Task>) -> Option<String> {
        self.quiet = self.quiet.saturating_sub(1);
        self.samples += 1;
        if let Some(task) = by {
            self.held_up += 1;
            let name = describe(task);
            match self.by.iter_mut().find(|(known, _)| *known == name) {
                Some((_, count)) => *count += 1,
                None => self.by.push((name, 1)),
            }
        }
        if self.samples < WINDOW {
            return None;
        }
        let window = std::mem::replace(self, Window { quiet: self.quiet, ..Window::default() });
        if window.held_up <= WINDOW / 2 || window.quiet > 0 {
            return None;
        }
        self.quiet = QUIET;
        Some(window.text(index))
    }

    fn text(mut self, index: usize) -> String {
        let percent = self.held_up * 100 / self.samples;
        let mut text = format!(
            "greenthread: worker {index} was held up again and again, {percent} % of its last second, while threads \
             waited for it. By"
        );
        self.by.sort_by_key(|(_, count)| u32::MAX - count);
        for (number, (name, count)) in self.by.iter().take(NAMED).enumerate() {
            let comma = if number == 0 { "" } else { "," };
            let _ = write!(text, "{comma} {name} ({} %)", count * 100 / self.samples);
        }
        let others = self.by.len().saturating_sub(NAMED);
        if others > 0 {
            let _ = write!(text, " and {others} others");
        }
        text.push_str(HELP);
        text
    }
}

/// On a thread that has held up its worker for long.
fn alone(task: &Task, kept: Duration) -> String {
    let (name, kept) = (describe(task), kept.as_millis());
    format!("greenthread: {name}, has kept its worker for {kept} ms while others wait for it.{HELP}")
}

fn describe(task: &Task) -> String {
    let name = task.block.name.as_deref().unwrap_or("<unnamed>");
    format!("thread '{name}', spawned at {}", task.location)
}

const HELP: &str = "\n\
    help: std::thread::sleep, std::sync::Mutex and other blocking calls of std stop the whole worker: use those of \
    greenthread; put long computations and foreign blocking calls into greenthread::thread::unblock\n";
