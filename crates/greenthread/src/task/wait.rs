//! The one way to wait. Everything that blocks is a client of this file: it makes a [`Waiter`]
//! (usually on its own stack), shows it to the thread that will end the wait, and calls
//! [`Waiter::wait`].
//!
//! On a green thread the wait switches to another one; on an OS thread, and on a worker inside
//! `without_yield`, it blocks the OS thread. A future waits by its waker (`awaiter`). The other
//! side can't tell: it claims the waiter, and fires the [`Wake`] that it owes, if any. So green
//! threads, OS threads and futures meet at the same channel.
//!
//! How clients keep a `Waiter` on the stack safe, in the usual case of a queue behind a lock: a
//! claim is made *under the lock*, on a waiter that is still in the queue; `Wake::fire` may come
//! after unlocking. A waiter that timed out takes the lock, and removes itself from the queue,
//! before it returns.
//!
//! Invariants: those of `waiter`.

use core::{
    mem::MaybeUninit,
    ptr::{self, NonNull},
    sync::atomic::Ordering::Relaxed,
};
use std::{sync::Arc, time::Instant};

use greenthread_context::prefetch;

use super::{
    awaiter,
    block::Task,
    cancel,
    state::Claimed,
    time::block_until,
    waiter::{INTERRUPTIBLE, LOOKED, OS, TASK},
    worker_core::{self, WorkerCore},
};
use crate::sys::parker::{End, Parker};

/// Added to the reason of a wait that ends by unwinding if its thread is cancelled.
const UNWINDS: u8 = if cfg!(panic = "abort") { 0 } else { INTERRUPTIBLE };

pub(crate) use super::{
    state::Outcome,
    waiter::{Reason, Waiter},
};

#[cfg(test)]
mod tests;

/// The result of a claim.
#[derive(Debug)]
pub(crate) enum Claim {
    /// The wait had ended before. What the claimer had for it goes to another waiter.
    Lost,
    /// The wait ends with this claim. The wake-up that the claimer owes, if any.
    Won(Option<Wake>),
}

impl Waiter {
    /// Waits, on the thread that owns this waiter, until it is claimed or the deadline has passed.
    /// `true` if it was woken.
    ///
    /// After `false` no claimer owes a wake-up, but other threads may still know the waiter. The
    /// caller takes it back from them before it drops it.
    ///
    /// This wait is no cancellation point: nobody may claim it as `Cancelled` (see `claim`).
    #[inline]
    pub(crate) fn wait(&self, reason: Reason, deadline: Option<Instant>) -> bool {
        self.wait_for(reason as u8, deadline) == Some(Outcome::Woken)
    }

    /// As `wait`, at a cancellation point. After `Cancelled` the caller takes the waiter back, as
    /// after `TimedOut`; then it unwinds (`cancel::unwind`).
    ///
    /// Locks and initialisations are no cancellation points, and neither is a wait for a thread
    /// that uses something on the waiting stack, since that can't be taken back.
    pub(crate) fn wait_cancellable(&self, reason: Reason, deadline: Option<Instant>) -> Outcome {
        match self.wait_interruptible(reason, deadline) {
            Some(outcome) => outcome,
            None => self.end_by_cancellation(),
        }
    }

    /// As `wait_cancellable`, for a call that can return an error. So it ends as well where nothing
    /// unwinds (`cancel::error`).
    pub(crate) fn wait_fallible(&self, reason: Reason, deadline: Option<Instant>) -> Outcome {
        match self.wait_for(reason as u8 | INTERRUPTIBLE, deadline) {
            Some(outcome) => outcome,
            None => self.end_by_cancellation(),
        }
    }

    /// As `wait_cancellable`, but `None` means that the thread is cancelled and *nobody has claimed
    /// the wait*: a claimer may still come. If the caller can't take the waiter back from it, it
    /// waits for the claim by [`await_claim`](Self::await_claim).
    pub(crate) fn wait_interruptible(&self, reason: Reason, deadline: Option<Instant>) -> Option<Outcome> {
        self.wait_for(reason as u8 | UNWINDS, deadline)
    }

    /// The one function behind all waits. It is not inlined, so that it is in the processor's
    /// cache.
    #[inline(never)]
    fn wait_for(&self, reason: u8, deadline: Option<Instant>) -> Option<Outcome> {
        if self.state.is_settled()
            && let Some(outcome) = self.state.outcome()
        {
            return Some(outcome);
        }
        match worker_core::current() {
            Some((core, task)) => {
                if task.block.cancel.load(Relaxed) != 0 && reason & (INTERRUPTIBLE | LOOKED) == INTERRUPTIBLE
                {
                    return self.wait_watched(task, reason, deadline);
                }
                self.wait_green(core, task, reason, deadline)
            }
            None => self.wait_os(deadline, reason & INTERRUPTIBLE != 0),
        }
    }

    /// Waits for the claim that comes, or has come, though the thread was interrupted. It can't be
    /// interrupted again.
    #[cold]
    pub(crate) fn await_claim(&self, reason: Reason) {
        // SAFETY: this is the waiting thread, and nobody else writes it (`waiter`, invariant 1).
        let has_parked = unsafe { !(*self.sleeper.get()).is_null() };
        if has_parked && let Some((core, task)) = worker_core::current() {
            // It parked for one claimer, whose wake-up is owed or on its way. It is consumed here.
            Parked { core, task }.sleep(reason as u8, self, None);
        } else {
            self.await_post();
        }
    }

    /// Waits until another thread, which is just about to do it, has claimed this wait or posted.
    #[cold]
    pub(crate) fn await_post(&self) {
        while self.state.outcome() != Some(Outcome::Woken) {
            std::thread::yield_now();
        }
    }

    /// After `wait_interruptible` has returned `outcome`, and not `Woken`: waits for the post that
    /// is still to come, perhaps much later, or has come. It can't be interrupted again.
    #[cold]
    pub(crate) fn await_late_post(&self, outcome: Option<Outcome>, reason: Reason) {
        match outcome {
            None => _ = self.wait(reason, None),
            // The deadline of the scope has ended the wait, so no wake-up is owed. The post
            // overwrites that outcome.
            Some(_) => {
                if !self.reset() {
                    self.wait(reason, None);
                }
            }
        }
    }

    /// Ends the wait of an interrupted thread, which is cancelled, by a claim. If another claim was
    /// faster, that one counts.
    #[cold]
    fn end_by_cancellation(&self) -> Outcome {
        match self.state.claim(Outcome::Cancelled) {
            Claimed::Lost => self.state.outcome().expect("another claim has been made"),
            Claimed::Awake | Claimed::Parked => Outcome::Cancelled,
        }
    }

    /// Waits on a thread that is in a scope, or was cancelled.
    #[cold]
    #[inline(never)]
    fn wait_watched(&self, task: &Task, reason: u8, deadline: Option<Instant>) -> Option<Outcome> {
        if cancel::is_masked() {
            return self.wait_for(reason & !INTERRUPTIBLE, deadline);
        }
        let view = cancel::view(task);
        if view.is_cancelled {
            return self.not_parked();
        }
        let (deadline, scope) = view.sooner(deadline);
        let outcome = self.wait_for(reason | LOOKED, deadline)?;
        if outcome == Outcome::TimedOut
            && let Some(node) = scope
        {
            // SAFETY: the calling thread is in this scope.
            cancel::elapse(unsafe { &*node });
            return Some(Outcome::Cancelled);
        }
        Some(outcome)
    }

    /// `None` if the thread was interrupted.
    #[inline(always)]
    fn wait_green(
        &self,
        core: &WorkerCore,
        task: &Task,
        reason: u8,
        deadline: Option<Instant>,
    ) -> Option<Outcome> {
        if Reason::is_of_siblings(reason)
            && core.linger(|| self.state.is_settled())
            && let Some(outcome) = self.state.outcome()
        {
            return Some(outcome);
        }
        // SAFETY: this is the waiting thread, and it has not parked (`waiter`, invariant 1).
        unsafe { *self.sleeper.get() = ptr::from_ref(task).cast() };
        if let Some(outcome) = self.state.park() {
            return Some(outcome);
        }
        Parked { core, task }.sleep(reason, self, deadline);
        match self.state.outcome() {
            None => self.was_interrupted(reason, deadline),
            outcome => outcome,
        }
    }

    /// Called when a thread was interrupted, so that it is not parked any more. If it can't be
    /// unwound, since it waits in a destructor during unwinding, it waits on.
    #[cold]
    #[inline(never)]
    fn was_interrupted(&self, reason: u8, deadline: Option<Instant>) -> Option<Outcome> {
        if cancel::is_masked() {
            return self.wait_for(reason & !INTERRUPTIBLE, deadline);
        }
        self.not_parked()
    }

    /// The result of an interrupted wait whose claimer will find the thread awake.
    fn not_parked(&self) -> Option<Outcome> {
        // SAFETY: this is the waiting thread, and it is not parked (`waiter`, invariant 1).
        unsafe { *self.sleeper.get() = ptr::null() };
        None
    }

    /// `None` if the thread is cancelled, which may be only if the wait is `interruptible`.
    #[cold]
    fn wait_os(&self, deadline: Option<Instant>, interruptible: bool) -> Option<Outcome> {
        let parker = cancel::parker();
        // SAFETY: this is the waiting thread, and it has not parked (`waiter`, invariant 1).
        unsafe { *self.sleeper.get() = Arc::as_ptr(&parker).cast::<()>().map_addr(|address| address | OS) };
        if let Some(outcome) = self.state.park() {
            return Some(outcome);
        }
        loop {
            let view = interruptible.then(cancel::view_of_os_thread).flatten();
            let (until, scope) = match view {
                Some(view) if view.is_cancelled => {
                    if self.state.interrupt() {
                        return self.not_parked();
                    }
                    parker.park();
                    return self.state.outcome();
                }
                Some(view) => view.sooner(deadline),
                None => (deadline, None),
            };
            match block_until(until, |until| parker.sleep(until, interruptible)) {
                End::Token => return self.state.outcome(),
                End::Interrupted => {}
                End::Deadline => match self.state.claim(Outcome::TimedOut) {
                    Claimed::Parked => {
                        let Some(node) = scope else { return Some(Outcome::TimedOut) };
                        // SAFETY: the calling thread is in this scope.
                        cancel::elapse(unsafe { &*node });
                        return Some(Outcome::Cancelled);
                    }
                    // Another claim was faster. The parker's token is on its way, and must not be
                    // left for the next wait.
                    _ => {
                        parker.park();
                        return self.state.outcome();
                    }
                },
            }
        }
    }

    /// Parks before any other thread knows of the waiter, so that neither this nor the claim needs
    /// an atomic exchange. Returns `None` if the thread has not parked: it can't be suspended,
    /// there is a deadline, or it is worth to linger first (`WorkerCore::linger`). A wait that can
    /// be cancelled must not park here (see `claim`).
    ///
    /// # Safety
    /// No other thread knows of the waiter, and the caller holds the lock under which the one claim
    /// of this wait will be made. After it has unlocked, the caller calls `wait_from` with the
    /// result, and does nothing in between that may switch.
    #[inline]
    pub(crate) unsafe fn park_early<'a>(&self, deadline: Option<Instant>) -> Option<Parked<'a>> {
        if deadline.is_some() {
            return None;
        }
        let (core, task) = worker_core::current()?;
        if core.may_linger() || task.block.cancel.load(Relaxed) != 0 {
            return None;
        }
        // SAFETY: this is the waiting thread, and it has not parked (`waiter`, invariant 1).
        unsafe { *self.sleeper.get() = ptr::from_ref(task).cast() };
        self.state.park_for_one();
        Some(Parked { core, task })
    }

    /// Waits as `wait_interruptible` does, after `park_early` has returned `parked`.
    #[inline(always)]
    pub(crate) fn wait_from(
        &self,
        parked: Option<Parked<'_>>,
        reason: Reason,
        deadline: Option<Instant>,
    ) -> Option<Outcome> {
        match parked {
            Some(Parked { core, task }) => {
                Parked { core, task }.sleep(reason as u8 | UNWINDS, self, None);
                if task.was_interrupted() && self.must_leave(core, task, reason) {
                    return None;
                }
                Some(Outcome::Woken)
            }
            None => self.wait_interruptible(reason, deadline),
        }
    }

    /// Whether a thread that was interrupted, and has parked for one claimer, can be unwound. If
    /// not, it waits on until its wait is claimed.
    #[cold]
    #[inline(never)]
    fn must_leave(&self, core: &WorkerCore, task: &Task, reason: Reason) -> bool {
        if cancel::is_masked() {
            Parked { core, task }.sleep(reason as u8, self, None);
            return false;
        }
        true
    }

    /// Ends the wait of `waiter`, once.
    ///
    /// # Safety
    /// `waiter` is alive during this call: its owner can't return from its wait and drop it
    /// meanwhile other than by this very claim (hold the lock under which it would take itself
    /// back). If the outcome is `TimedOut`, the wait has a deadline. Only the owner itself claims
    /// it as `Cancelled`, and tests do.
    #[inline]
    pub(crate) unsafe fn claim(waiter: *const Waiter, outcome: Outcome) -> Claim {
        // SAFETY: the caller vouches that the waiter is alive.
        match unsafe { &(*waiter).state }.claim(outcome) {
            Claimed::Lost => Claim::Lost,
            Claimed::Awake => Claim::Won(None),
            Claimed::Parked => Claim::Won(Some(Wake(waiter))),
        }
    }

    /// Claims the wait and fires the wake-up at once. Returns `false` if the wait had ended before.
    ///
    /// # Safety
    /// As for [`Waiter::claim`].
    pub(crate) unsafe fn wake(waiter: *const Waiter) -> bool {
        // SAFETY: this function has the same contract.
        match unsafe { Self::claim(waiter, Outcome::Woken) } {
            Claim::Lost => false,
            Claim::Won(wake) => {
                drop(wake);
                true
            }
        }
    }

    /// Leaves a wake-up for this wait or the next one (`unpark`). For waiters that outlive their
    /// waits.
    pub(crate) fn post(&self) {
        if self.state.post() {
            drop(Wake(self));
        }
    }
}

/// Ends the waits whose deadline has come by `now`.
///
/// # Safety
/// The home context of the worker whose core this is runs.
pub(crate) unsafe fn expire_timers(core: &WorkerCore, now: u64) {
    // SAFETY: home runs, so no other reference to the timers lives (`worker_core`, invariant 2).
    // Ending a wait only pushes to the run queue.
    let timers = unsafe { &mut *core.timers.get() };
    if timers.next_deadline().is_some_and(|deadline| deadline <= now) {
        timers.expire(now, |waiter| {
            // SAFETY: the waiter is alive: its thread is suspended, and removes the timer before it
            // goes on.
            unsafe { drop(Waiter::claim(waiter, Outcome::TimedOut)) };
        });
    }
    core.note_deadline(timers.next_deadline());
}

/// A green thread that has parked, and is about to suspend itself.
#[derive(Debug)]
#[must_use = "its claimer takes the thread for suspended"]
pub(crate) struct Parked<'a> {
    core: &'a WorkerCore,
    task: &'a Task,
}

impl Parked<'_> {
    /// Suspends the thread until its wait is claimed or, if `reason` has `INTERRUPTIBLE`, it is
    /// interrupted.
    #[inline(always)]
    fn sleep(self, reason: u8, waiter: &Waiter, deadline: Option<Instant>) {
        let Self { core, task } = self;
        task.waiting.set(MaybeUninit::new(waiter));
        task.block.waits_for.store(reason, Relaxed);
        match deadline {
            None => core.suspend(task),
            Some(deadline) => core.suspend_until(task, core.clock.nanos(deadline), waiter),
        }
        // To wait again or to end, the thread needs the rest of its block. After a long wait that
        // is in no cache, so the fetch begins at once.
        prefetch(ptr::from_ref(task).cast::<u8>().wrapping_add(64), 128);
        task.block.waits_for.store(Reason::Nothing as u8, Relaxed);
    }
}

/// A wake-up that is owed to a parked thread: fired when dropped.
#[derive(Debug)]
#[must_use = "the thread sleeps until this is fired; to fire it at once, drop it"]
pub(crate) struct Wake(*const Waiter);

// SAFETY: the waiter is `Sync`, and stays alive until the wake-up is fired: until then its thread
// does not run (`state`).
unsafe impl Send for Wake {}

impl Wake {
    /// Makes the thread go on.
    pub(crate) fn fire(self) {
        drop(self);
    }
}

impl Drop for Wake {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this is the one claim that left PARKED, and its wake-up has not been fired. So
        // the waiter is alive, and `sleeper` is not written (`waiter`, invariant 1).
        let sleeper = unsafe { *(*self.0).sleeper.get() };
        if sleeper.addr() & (OS | TASK) != 0 {
            // SAFETY: as above; it is fired once.
            return unsafe { wake_other(sleeper) };
        }
        let task = NonNull::new(sleeper.cast_mut()).expect("a thread writes `sleeper` before it parks");
        // SAFETY: the task is suspended by the time its worker handles it (`waiter`, invariant 2),
        // and this is its only claim.
        unsafe { worker_core::schedule(task.cast()) };
    }
}

/// Wakes what sleeps and is no green thread.
///
/// # Safety
/// `sleeper` is that of a parked waiter, has one of the two marks, and is woken by this call only.
#[cold]
unsafe fn wake_other(sleeper: *const ()) {
    if sleeper.addr() & TASK != 0 {
        // SAFETY: the address is what `Awaiter::park` has stored, and this is its only claim.
        return unsafe { awaiter::fire(sleeper.map_addr(|address| address & !TASK).cast()) };
    }
    let parker = sleeper.map_addr(|address| address & !OS).cast::<Parker>();
    // SAFETY: the pointer came from an `Arc` that the sleeper holds until it has the token. From
    // then on the count that is added here keeps the parker alive.
    let parker = unsafe {
        Arc::increment_strong_count(parker);
        Arc::from_raw(parker)
    };
    parker.unpark();
}
