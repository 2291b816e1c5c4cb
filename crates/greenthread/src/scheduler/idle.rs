//! Which workers search for unstarted threads, and which one is woken for a new thread.
//!
//! A worker is in one of these states:
//!
//! * *Active*: it runs threads, or does something else of its own.
//! * *Searching*: it has nothing of its own and looks for unstarted threads that others have.
//! * *In grace*: it was woken to search and has found nothing, so it sleeps for a moment. Then it
//!   searches once more.
//! * *Asleep*: it waits in its driver, for any length of time.
//!
//! A worker is *away* while it is in grace or asleep, and just before and after that.
//!
//! Waking a sleeping worker costs the waker some ten microseconds, so the aim is to wake few. While
//! one worker searches, nobody else is woken: the searcher will find the thread. When it does, it
//! wakes the next searcher.
//!
//! ```text
//!   a thread is queued                 a searcher that found nothing
//!   ------------------                 -----------------------------
//!   queue it                           searching -= 1
//!   fence                              away += 1
//!   away = 0?       done               flag := ASLEEP          (task::sleep_flag)
//!   searching > 0?  done               fence
//!   nobody asleep?  done               look once more at every queue
//!   searching: 0 -> 1, or done         sleep, or search again
//!   wake a sleeper: it is the
//!   searcher just counted. Is none
//!   left? searching -= 1, and again
//!   from the fence
//! ```
//!
//! A searcher that has found a thread does `searching -= 1` and a fence. If it was the only
//! searcher and more threads are queued, it wakes another one, as if it had queued them itself.
//!
//! A thread that is the only one in its queue wakes nobody while a worker is in grace. Most likely
//! its spawner will join it at once, and run it inline; if not, the worker in grace finds it.
//!
//! Why no thread is stranded: call the spawner's fence Q, and the fence of a searcher that goes to
//! sleep S. If Q comes before S, the searcher's last look sees the thread. If S comes before Q, the
//! spawner sees `searching` without that searcher, and its flag. Then either somebody else
//! searches, whose own S is still to come, or the sleeper is woken. A spawner that has counted a
//! searcher, and then finds no sleeper to wake, has been a searcher that did not search: others
//! may have relied on it. So it begins again at the fence, which is its S.

use super::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Relaxed, SeqCst},
    fence,
};
use super::sleep_flag::SleepFlag;

/// A worker, as far as this file is concerned.
pub(crate) trait Sleeper {
    fn flag(&self) -> &SleepFlag;
    /// How full it is: the emptiest sleeper is woken.
    fn fullness(&self) -> usize;
    /// Whether others have put something into its inbox.
    fn has_mail(&self) -> bool;
    /// Whether unstarted threads lie in its deque. After a fence, the answer is no older than that
    /// fence.
    fn has_unstarted(&self) -> bool;
}

/// Whether a searcher would find an unstarted thread. `injected` says how many lie in no worker's
/// deque.
fn any_unstarted<W: Sleeper>(workers: &[W], injected: impl FnOnce() -> usize) -> bool {
    injected() != 0 || workers.iter().any(Sleeper::has_unstarted)
}

/// How many of a runtime's workers search, are in grace, and are away.
#[derive(Debug)]
pub(crate) struct Idle {
    searching: AtomicUsize,
    in_grace: AtomicUsize,
    away: AtomicUsize,
}

impl Idle {
    pub(crate) fn new() -> Self {
        Self { searching: AtomicUsize::new(0), in_grace: AtomicUsize::new(0), away: AtomicUsize::new(0) }
    }

    /// To be called after an unstarted thread was queued. Returns the worker whose driver the
    /// caller must wake, if any. For a thread that is the `only` one in its queue, a worker in
    /// grace is enough.
    #[inline]
    pub(crate) fn wake_searcher<'a, W: Sleeper>(&self, workers: &'a [W], only: bool) -> Option<&'a W> {
        fence(SeqCst);
        if self.is_anyone_away() { self.wake_sleeper(workers, only) } else { None }
    }

    /// As `wake_searcher`. The caller has made the fence.
    #[cold]
    fn wake_sleeper<'a, W: Sleeper>(&self, workers: &'a [W], only: bool) -> Option<&'a W> {
        loop {
            if self.searching.load(Relaxed) != 0 || only && self.in_grace.load(Relaxed) != 0 {
                return None;
            }
            let sleeper = workers.iter().filter(|w| w.flag().is_asleep()).min_by_key(|w| w.fullness())?;
            if self.searching.compare_exchange(0, 1, AcqRel, Relaxed).is_err() {
                return None;
            }
            if sleeper.flag().wake_to_search() {
                return Some(sleeper);
            }
            self.searching.fetch_sub(1, AcqRel);
            fence(SeqCst);
        }
    }

    /// A worker starts to search. Returns `false` if `most` workers already do; then it must not
    /// take threads from others.
    pub(crate) fn begin(&self, most: usize) -> bool {
        let mut searching = self.searching.load(Relaxed);
        while searching < most {
            match self.searching.compare_exchange_weak(searching, searching + 1, AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(now) => searching = now,
            }
        }
        false
    }

    /// A searcher stops. Returns `true` if it was the only one. If it has found a thread, it then
    /// wakes another searcher; if not, it looks once more before it sleeps, as every worker does.
    pub(crate) fn end_search(&self) -> bool {
        let last = self.searching.fetch_sub(1, AcqRel) == 1;
        if last {
            // The caller now looks what else is queued. A spawner that saw this worker search has
            // woken no other worker for its thread.
            fence(SeqCst);
        }
        last
    }

    /// A searcher stops, as it has found a thread. Returns whether it must
    /// [wake another one](Self::wake_searcher), since more threads are there.
    pub(crate) fn end_with_thread<W: Sleeper>(
        &self,
        workers: &[W],
        injected: impl FnOnce() -> usize,
    ) -> bool {
        self.end_search() && any_unstarted(workers, injected)
    }

    /// A worker that is no searcher goes to sleep. Returns `false` if its last look finds
    /// something: then it must not sleep. In either case it must finish its flag, and come back.
    pub(crate) fn go_to_sleep<W: Sleeper>(
        &self,
        me: &W,
        workers: &[W],
        injected: impl FnOnce() -> usize,
    ) -> bool {
        self.leave();
        me.flag().prepare();
        !me.has_mail() && !any_unstarted(workers, injected)
    }

    /// A worker is about to sleep.
    pub(crate) fn leave(&self) {
        self.away.fetch_add(1, Relaxed);
    }

    /// It is awake.
    pub(crate) fn come_back(&self) {
        self.away.fetch_sub(1, Relaxed);
    }

    /// Whether any worker is away: if not, no flag needs to be read.
    #[inline]
    pub(crate) fn is_anyone_away(&self) -> bool {
        self.away.load(Relaxed) != 0
    }

    /// A worker is about to sleep for a moment. It will look at every queue after that.
    pub(crate) fn begin_grace(&self) {
        self.in_grace.fetch_add(1, AcqRel);
    }

    /// The worker is awake again, and becomes a searcher if it may. A spawner that relied on it has
    /// made its fence before this one, so the worker sees its thread. So does a searcher that has
    /// stopped without seeing that thread; or it sees that this worker is in grace no more.
    pub(crate) fn end_grace(&self) {
        self.in_grace.fetch_sub(1, AcqRel);
        fence(SeqCst);
    }
}
