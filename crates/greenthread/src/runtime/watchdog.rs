//! Names the thread that keeps its worker to itself.
//!
//! One OS thread takes a sample every 50 ms while any worker is awake, and sleeps when all of them do.
//!
//! Invariants:
//! 1. A seat's pointer is good while it is there: the worker takes it out, under the lock, before it goes.
//! 2. The task that `Local::current` names is alive while the seat's lock is held: its worker frees a task only
//!    after setting `current` to null and then passing through this lock (`let_go`).

use core::{
    ptr,
    sync::atomic::{
        AtomicBool, AtomicPtr,
        Ordering::{Relaxed, SeqCst},
        fence,
    },
};
use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::shared::Shared;
use crate::{sys::thread::OsThread, task::local::Local};

const SAMPLE: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug)]
pub(crate) struct Watchdog {
    seats: Box<[Mutex<Watched>]>,
    /// All workers sleep, and so does the watchdog.
    asleep: AtomicBool,
    stop: Mutex<bool>,
    changed: Condvar,
}

#[derive(Debug)]
struct Watched {
    local: AtomicPtr<Local>,
    switches: u32,
    since: Instant,
    told: bool,
}

impl Watchdog {
    pub(crate) fn new(workers: usize) -> Self {
        let watched = || Watched {
            local: AtomicPtr::new(ptr::null_mut()),
            switches: 0,
            since: Instant::now(),
            told: false,
        };
        Self {
            seats: (0..workers).map(|_| Mutex::new(watched())).collect(),
            asleep: AtomicBool::new(false),
            stop: Mutex::new(false),
            changed: Condvar::new(),
        }
    }

    /// Starts the OS thread, which ends when the runtime does.
    pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<OsThread> {
        let shared = shared.clone();
        OsThread::spawn(
            "gt-watchdog",
            Box::new(move || {
                if let Some(watchdog) = &shared.watchdog {
                    watchdog.run(&shared);
                }
            }),
        )
    }

    /// The worker is there, or with null has gone.
    pub(crate) fn watch(&self, index: usize, local: *const Local) {
        let mut seat = self.seats[index].lock().unwrap_or_else(PoisonError::into_inner);
        *seat.local.get_mut() = local.cast_mut();
        seat.since = Instant::now();
    }

    /// The worker is about to free a task that ran on it.
    pub(crate) fn let_go(&self, index: usize) {
        drop(self.seats[index].lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A worker has woken up.
    pub(crate) fn rouse(&self) {
        fence(SeqCst);
        if self.asleep.load(Relaxed) && self.asleep.swap(false, Relaxed) {
            drop(self.stop.lock().unwrap_or_else(PoisonError::into_inner));
            self.changed.notify_one();
        }
    }

    /// The runtime has ended.
    pub(crate) fn stop(&self) {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    fn run(&self, shared: &Shared) {
        let all_asleep = || shared.seats.iter().all(|seat| seat.remote.sleep.is_asleep());
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stop {
            if all_asleep() {
                self.asleep.store(true, Relaxed);
                // With the fence in `rouse`: either a worker that wakes sees that we sleep, or we see that it is awake.
                fence(SeqCst);
                while all_asleep() && self.asleep.load(Relaxed) && !*stop {
                    stop = self.changed.wait(stop).unwrap_or_else(PoisonError::into_inner);
                }
                self.asleep.store(false, Relaxed);
            } else {
                stop = self.changed.wait_timeout(stop, SAMPLE).unwrap_or_else(PoisonError::into_inner).0;
            }
            for (index, seat) in self.seats.iter().enumerate() {
                let mut seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
                sample(&mut seat, shared, index);
            }
        }
    }
}

fn sample(watched: &mut Watched, shared: &Shared, index: usize) {
    let seat = &shared.seats[index];
    // SAFETY: good while the seat's lock is held (invariant 1).
    let Some(local) = (unsafe { watched.local.get_mut().as_ref() }) else { return };
    let switches = local.switches.load(Relaxed);
    if switches != watched.switches || seat.remote.sleep.is_away() {
        (watched.switches, watched.since, watched.told) = (switches, Instant::now(), false);
        return;
    }
    let kept = watched.since.elapsed();
    let waiting =
        local.ready.len() != 0 || !seat.queue.is_empty() || !seat.remote.inbox.is_empty() || local.is_late();
    if kept < PATIENCE || watched.told || !waiting {
        return;
    }
    // SAFETY: alive while the seat's lock is held (invariant 2).
    let Some(task) = (unsafe { local.current.load(Relaxed).as_ref() }) else { return };
    watched.told = true;
    let name = task.block.name.as_deref().unwrap_or("<unnamed>");
    let _ = writeln!(
        std::io::stderr(),
        "greenthread: thread '{name}', spawned at {}, has kept its worker for {} ms while others wait for it.\n\
         help: std::thread::sleep, std::sync::Mutex and other blocking calls of std stop the whole worker: use those of \
         greenthread; put long computations and foreign blocking calls into greenthread::thread::unblock",
        task.location,
        kept.as_millis(),
    );
}
