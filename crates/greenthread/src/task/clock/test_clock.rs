//! A clock for tests. It stands still while threads run. It jumps to the next deadline when all
//! workers sleep, or is moved by hand.
//!
//! A worker with such a clock *dozes*: it sleeps for [`DOZE`] at a time, as the operating system
//! counts, until it has something to do or its deadline has come. The clock jumps when a worker has
//! dozed once, no worker has come or gone meanwhile, all of them doze, and none has been woken:
//! then there is nothing left to wait for but deadlines. It jumps to the earliest one, and never
//! past one whose worker still dozes. So deadlines come in order.
//!
//! The work of OS threads and of the kernel takes no time on this clock. If it takes longer than a
//! doze and a deadline is set, the deadline comes first.

use core::time::Duration;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread::{self, ThreadId},
    time::Instant,
};

use crate::sys::clock::os_now;

/// How long a worker sleeps before it looks at the clock again. A wake-up takes less; a jump takes
/// as long, so tests with many jumps take longer if this is longer.
const DOZE: Duration = Duration::from_millis(1);

/// See the module.
#[derive(Debug)]
pub(crate) struct TestClock {
    origin: Instant,
    /// By how many nanoseconds it has moved.
    moved: AtomicU64,
    jumps: bool,
    workers: usize,
    dozing: Mutex<Dozing>,
}

#[derive(Debug, Default)]
struct Dozing {
    /// The workers that sleep, and until when.
    deadlines: Vec<(ThreadId, Option<Instant>)>,
    /// How often a worker has begun or ended to sleep.
    changes: u64,
}

impl TestClock {
    /// A clock for a runtime with `workers` workers. It moves by itself only if it `jumps`.
    pub(crate) fn new(workers: usize, jumps: bool) -> Arc<Self> {
        let (origin, moved, dozing) = (os_now(), AtomicU64::new(0), Mutex::default());
        Arc::new(Self { origin, moved, jumps, workers, dozing })
    }

    /// The present moment.
    pub(crate) fn instant(&self) -> Instant {
        self.origin + Duration::from_nanos(self.moved.load(SeqCst))
    }

    /// Moves it by hand.
    pub(crate) fn advance(&self, by: Duration) {
        self.moved.fetch_add(by.as_nanos().try_into().expect("some centuries at most"), SeqCst);
    }

    fn move_to(&self, moment: Instant) {
        let moved = moment.saturating_duration_since(self.origin).as_nanos();
        self.moved.fetch_max(moved.try_into().unwrap_or(u64::MAX), SeqCst);
    }

    fn dozing(&self) -> MutexGuard<'_, Dozing> {
        self.dozing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See [`Clock::sleep`](super::Clock::sleep).
    pub(super) fn sleep(
        &self,
        deadline: Option<Instant>,
        sleep: impl Fn(Option<Duration>),
        is_woken: impl Fn() -> bool,
        do_all_sleep: impl Fn() -> bool,
    ) {
        let me = thread::current().id();
        let mut changes = self.change(|deadlines| deadlines.push((me, deadline)));
        let is_due = || deadline.is_some_and(|deadline| deadline <= self.instant());
        loop {
            let begin = os_now();
            sleep(Some(if is_due() { Duration::ZERO } else { DOZE }));
            if is_due() || is_woken() {
                break;
            }
            // A wake-up from before may have cut it short.
            let is_short = os_now().duration_since(begin) < DOZE;
            let dozing = self.dozing();
            if is_short || dozing.changes != changes {
                changes = dozing.changes;
            } else if self.jumps && dozing.deadlines.len() == self.workers && do_all_sleep() {
                let deadlines = dozing.deadlines.iter().filter_map(|(_, deadline)| *deadline);
                if let Some(next) = deadlines.min() {
                    self.move_to(next);
                }
            }
        }
        self.change(|deadlines| deadlines.retain(|(other, _)| *other != me));
    }

    /// Notes that a worker begins or ends to sleep. Returns the number of this change.
    fn change(&self, change: impl FnOnce(&mut Vec<(ThreadId, Option<Instant>)>)) -> u64 {
        let mut dozing = self.dozing();
        change(&mut dozing.deadlines);
        dozing.changes += 1;
        dozing.changes
    }

    /// See [`Clock::block`](super::Clock::block).
    pub(super) fn block<R>(&self, deadline: Option<Instant>, block: impl FnOnce(Option<Instant>) -> R) -> R {
        let begin = os_now();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(self.instant()));
        let result = block(left.and_then(|left| begin.checked_add(left)));
        self.advance(os_now().duration_since(begin));
        result
    }
}
