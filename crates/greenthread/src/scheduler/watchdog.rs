//! The watchdog: it reports threads that hold up their worker.
//!
//! One OS thread takes a sample of each worker every 50 ms while any worker is awake. It sleeps
//! when all workers sleep; when one wakes up, all samples begin anew. A worker is *held up* in a
//! sample if none of its threads has switched since the sample before, or if its OS thread is
//! blocked in the kernel though the worker doesn't sleep. Other threads *wait* for the worker if
//! they are ready or due there, or unstarted and no other worker takes them. There are two reports:
//!
//! * One thread has held up its worker for `MAX_RUN` while other threads wait.
//! * In a window of `WINDOW` samples a worker was held up in more than half of them while others
//!   waited, by any threads, of which none held it up for `MAX_RUN`. The threads of a busy worker
//!   that yield as they should switch thousands of times between two samples, and don't block in
//!   the kernel.
//!
//! Nothing here stops a worker. The text is made while the worker's place is locked, and a worker
//! whose thread ends does not wait for that lock (`is_looking`). `report` writes the text.
//!
//! Invariants:
//! 1. `Watched::worker` is valid or null while its lock is held: the worker sets it to null, under
//!    the lock, before it goes.
//! 2. A task that `WorkerCore::current` names while the lock is held is alive until it is released.
//!    Its worker frees a task only after `current` has changed. If `is_looking` says no after that,
//!    a later holder of the lock sees the change. If it says yes, the worker keeps a reference
//!    (`Worker::keep_while_watched`).

use core::{
    ptr,
    sync::atomic::{
        AtomicBool, AtomicPtr,
        Ordering::{Acquire, Relaxed, SeqCst},
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

/// The time between two samples.
const SAMPLE: Duration = Duration::from_millis(50);
/// A thread that holds up its worker for this long is reported.
const MAX_RUN: Duration = Duration::from_millis(100);
/// The number of samples of a window, which lasts a second.
const WINDOW: u32 = 20;
/// The number of samples after a report on a window in which there is no other such report on the
/// same worker.
const QUIET: u32 = 10 * WINDOW;
/// The largest number of threads that a report on a window names.
const NAMED: usize = 4;

type Workers = [Arc<WorkerHandle<Task>>];

/// See the module.
#[derive(Debug)]
pub(crate) struct Watchdog {
    places: Box<[Mutex<Watched>]>,
    /// Whether the watchdog sleeps, since all workers do.
    asleep: AtomicBool,
    stop: Mutex<bool>,
    changed: Condvar,
}

#[derive(Debug)]
struct Watched {
    worker: AtomicPtr<WorkerCore>,
    thread: ThreadId,
    switches: u32,
    /// Since when it has made no switch, by the operating system's clock, and whether that has been
    /// reported. (Not by the runtime's clock, which may stand still in a test.)
    since: Instant,
    told: bool,
    is_held_up: bool,
    window: Window,
}

#[derive(Debug, Default)]
struct Window {
    samples: u32,
    held_up: u32,
    /// The threads that held it up, and in how many samples.
    by: Vec<(String, u32)>,
    /// In how many samples there is still no report.
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

    /// Sets the worker to be watched, on its OS thread, or with null removes it.
    pub(crate) fn watch(&self, index: usize, worker: *const WorkerCore) {
        let mut watched = lock(&self.places[index]);
        *watched.worker.get_mut() = worker.cast_mut();
        watched.thread = thread::id();
        watched.since = os_now();
    }

    /// Whether the watchdog may be looking at a thread that was the worker's current one. It
    /// doesn't wait for the lock.
    pub(super) fn is_looking(&self, index: usize) -> bool {
        matches!(self.places[index].try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Called when a worker has woken up.
    pub(crate) fn wake(&self) {
        fence(SeqCst);
        if self.asleep.load(Relaxed) && self.asleep.swap(false, Relaxed) {
            drop(lock(&self.stop));
            self.changed.notify_one();
        }
    }

    /// Called when the runtime has ended.
    pub(crate) fn stop(&self) {
        *lock(&self.stop) = true;
        self.changed.notify_one();
    }

    /// The main function of the watchdog's OS thread, until the runtime ends. `injected` says how
    /// many threads are in the injector.
    pub(crate) fn run(&self, workers: &Workers, injected: impl Fn() -> usize) {
        while self.wait(workers) {
            self.sample(workers, injected());
        }
    }

    /// Waits until it is time for a sample. Returns `false` if the runtime has ended.
    fn wait(&self, workers: &Workers) -> bool {
        let all_asleep = || workers.iter().all(|worker| worker.sleep.is_asleep());
        let mut stop = lock(&self.stop);
        if *stop {
            return false;
        }
        if all_asleep() {
            self.asleep.store(true, Relaxed);
            // Together with the fence in `wake`: either a worker that wakes sees that the watchdog
            // sleeps, or the watchdog sees that the worker is awake.
            fence(SeqCst);
            while all_asleep() && self.asleep.load(Relaxed) && !*stop {
                stop = self.changed.wait(stop).unwrap_or_else(PoisonError::into_inner);
            }
            self.asleep.store(false, Relaxed);
            // No thread has held up a worker while all of them slept, and no sample was taken in
            // that time.
            self.places.iter().for_each(|place| lock(place).begin());
        }
        // A sample right after a wake-up would see a worker that has had no time to switch.
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
            // The lock is given back before the text is written.
            let text = lock(place).look(&workers[index], index, injected);
            if let Some(text) = text {
                report::send(text);
            }
        }
    }
}

impl Watched {
    /// Begins to watch the worker anew.
    fn begin(&mut self) {
        // SAFETY: the pointer is valid or null while the lock is held (invariant 1), and
        // `&mut self` exists under it only.
        if let Some(core) = unsafe { self.worker.get_mut().as_ref() } {
            let switches = core.switches.load(Relaxed);
            (self.switches, self.since, self.told) = (switches, os_now(), false);
        }
    }

    /// Takes a sample: compares what the worker has done with the last sample.
    fn update(&mut self, handle: &WorkerHandle<Task>) {
        // SAFETY: the pointer is valid or null while the lock is held (invariant 1), and
        // `&mut self` exists under it only.
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
        // SAFETY: the pointer is valid or null while the lock is held (invariant 1), and
        // `&mut self` exists under it only.
        let core = unsafe { self.worker.get_mut().as_ref() }?;
        let others_wait = core.ready.len() != 0
            || !handle.deque.is_empty()
            || !handle.inbox.is_empty()
            || core.pinned.len() != 0
            || core.is_late()
            || injected;
        let held_up = self.is_held_up && others_wait;
        // SAFETY: the task is null or alive while the lock is held (invariant 2).
        let task = unsafe { core.current.load(Acquire).as_ref() };
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
    /// Adds a sample, with the thread that held up the worker in it. Returns the report, if one is
    /// due.
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

/// The report on one thread that has held up its worker.
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
