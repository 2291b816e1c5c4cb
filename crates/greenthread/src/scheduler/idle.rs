//! Who looks for unstarted threads, and who is woken for them.
//!
//! Waking a sleeping worker costs the waker some ten microseconds, so not waking is what matters: while
//! one worker searches, nobody else is woken; it will find the thread, and on finding it call the next.
//!
//! ```text
//!   whoever queues a thread            a searcher that found nothing
//!   -----------------------            -----------------------------
//!   queue it                           searching -= 1
//!   fence                              away += 1
//!   away = 0?       done               flag := ASLEEP          (task::sleep_flag)
//!   searching > 0?  done               fence
//!   nobody asleep?  done               look once more at every queue
//!   searching: 0 -> 1, or done         sleep, or search again
//!   call a sleeper; it is the one
//!   just counted. Nobody there any
//!   more? searching -= 1, and again
//!   from the fence
//! ```
//!
//! A searcher that found something: searching -= 1, fence; was it the only one, and is more queued? Then it calls
//! the next, as if it had queued that itself.
//!
//! A searcher that was called for nothing *naps*: it sleeps for a moment, and then searches once more. Who queues a thread
//! that is the only one in its queue relies on that as on a searcher: most likely it will be joined at once, where it is.
//!
//! Why nothing is stranded: take the fence of the one who queued (Q) and that of a searcher that goes to
//! sleep (S). If Q is before S, the last look sees the thread. If S is before Q, `searching` without that
//! searcher and its flag are seen: either somebody else searches, who has its own S still to come, or the
//! sleeper is called. The one who counted a sleeper that he then could not call was, for that moment, a searcher
//! that did not search: others relied on him. Hence he starts again at the fence, which is his S.

use super::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Relaxed, SeqCst},
    fence,
};
use super::sleep_flag::SleepFlag;

/// A worker, as far as this file is concerned.
pub(crate) trait Sleeper {
    fn flag(&self) -> &SleepFlag;
    /// How full it is: among sleepers the emptiest is called.
    fn fullness(&self) -> usize;
    /// Whether others have put something into its inbox.
    fn has_mail(&self) -> bool;
    /// Whether unstarted threads lie in its queue. After a fence, no older than that fence.
    fn has_unstarted(&self) -> bool;
}

/// Whether a searcher would find an unstarted thread. `injected` says how many lie in no worker's queue.
fn any_unstarted<W: Sleeper>(workers: &[W], injected: impl FnOnce() -> usize) -> bool {
    injected() != 0 || workers.iter().any(Sleeper::has_unstarted)
}

/// The counts of one runtime's workers: those who search, those who nap, and all that are asleep or on their way back.
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

    /// After queueing an unstarted thread: the worker whose driver the caller must wake, if any. For a thread that is
    /// the `only` one, who naps will do.
    #[inline]
    pub(crate) fn wake_searcher<'a, W: Sleeper>(&self, workers: &'a [W], only: bool) -> Option<&'a W> {
        fence(SeqCst);
        if self.is_anyone_away() { self.wake_sleeper(workers, only) } else { None }
    }

    /// After a fence.
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

    /// A worker starts to search. `false` if `most` do already: then it had better sleep.
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

    /// A searcher stops, having found a thread or not. `true` if it was the only one: having found
    /// something, it then calls another; having found nothing, it looks once more before it sleeps (as
    /// everybody does).
    pub(crate) fn end_search(&self) -> bool {
        let last = self.searching.fetch_sub(1, AcqRel) == 1;
        if last {
            // Before the caller looks what else is queued: whoever queued it and saw us search has called nobody.
            fence(SeqCst);
        }
        last
    }

    /// A searcher stops, having found a thread: whether it must [`wake_searcher`](Self::wake_searcher) another, since more are there.
    pub(crate) fn end_with_thread<W: Sleeper>(
        &self,
        workers: &[W],
        injected: impl FnOnce() -> usize,
    ) -> bool {
        self.end_search() && any_unstarted(workers, injected)
    }

    /// A worker that is no searcher goes to sleep. `false` if its last look finds something: then it had better not. In
    /// either case its flag must be finished, and it must come back.
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

    /// Whether a flag is worth a look.
    #[inline]
    pub(crate) fn is_anyone_away(&self) -> bool {
        self.away.load(Relaxed) != 0
    }

    /// A worker is about to sleep for a moment, after which it will look at every queue.
    pub(crate) fn begin_grace(&self) {
        self.in_grace.fetch_add(1, AcqRel);
    }

    /// It is awake again, and becomes a searcher, if it may. Who relied on it has had its fence before this one, and its
    /// thread is seen, as is who has stopped to search without having seen that; or sees that it naps no more.
    pub(crate) fn end_grace(&self) {
        self.in_grace.fetch_sub(1, AcqRel);
        fence(SeqCst);
    }
}
