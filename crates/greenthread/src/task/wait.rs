//! The one way to wait. Everything that blocks is a client of this: it makes a [`Waiter`] (usually on
//! its own stack), shows it to whoever will end the wait, and calls [`Waiter::wait`].
//!
//! On a green thread the wait switches to another one; on an OS thread, and on a worker inside
//! `without_yield`, it blocks the OS thread. The other side can't tell: it claims the waiter, and fires the
//! [`Wake`] that it owes, if any. So green threads and OS threads meet at the same lock or channel.
//!
//! How clients keep a `Waiter` on the stack safe, in the usual case of a queue behind a lock: a claim is
//! made *under the lock*, on a waiter that is still in the queue; `Wake::fire` may come after unlocking. A
//! waiter that timed out takes the lock, and removes itself from the queue, before it returns.
//!
//! Invariants:
//! 1. `sleeper` is written by the waiter before it parks, and read by the one claim that left PARKED, before
//!    it has paid its wake-up (see `state`: the waiter doesn't run in between). Never both at once.
//! 2. A green thread that is PARKED is suspended, or on its way there on its worker's OS thread: by the time
//!    its worker handles a wake-up, its context is saved.

use core::{
    cell::UnsafeCell,
    fmt,
    ptr::{self, NonNull},
    sync::atomic::Ordering::Relaxed,
};
use std::sync::Arc;

use greenthread_context::prefetch;

use super::{
    block::Task,
    local::{self, Local},
    state::{Claimed, WaitState},
};
use crate::sys::parker::Parker;

pub(crate) use super::state::Outcome;

/// What a thread waits for; for people and tools that look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Reason {
    /// It doesn't wait.
    Nothing,
    /// `thread::park`.
    Park,
    /// `thread::sleep`.
    Sleep,
    /// Another thread's end.
    Join,
    /// A scope's threads.
    Scope,
    /// A mutex.
    Mutex,
    /// A read lock.
    Read,
    /// A write lock.
    Write,
    /// The end of an initialisation.
    Once,
    /// Others to come to a barrier.
    Barrier,
    /// A semaphore's permits.
    Semaphore,
    /// The members of a wait group.
    WaitGroup,
    /// A condition variable.
    Condvar,
    /// A message.
    Receive,
    /// Room for a message.
    Send,
    /// One of several channels.
    Select,
    /// A descriptor to become readable.
    Readable,
    /// A descriptor to become writable.
    Writable,
    /// A call on the blocking pool.
    Blocking,
    /// A file's data.
    File,
}

impl Reason {
    /// Another thread ends such a wait, perhaps soon; the others end by the worker's own doing, or much later.
    fn is_of_siblings(self) -> bool {
        use Reason::{Blocking, Nothing, Readable, Sleep, Writable};
        !matches!(self, Nothing | Sleep | Readable | Writable | Blocking)
    }

    /// The name, from the number that a block holds.
    pub(crate) fn name(number: u8) -> &'static str {
        const NAMES: [(Reason, &str); 20] = [
            (Reason::Nothing, "nothing"),
            (Reason::Park, "park"),
            (Reason::Sleep, "sleep"),
            (Reason::Join, "join"),
            (Reason::Scope, "scope"),
            (Reason::Mutex, "mutex"),
            (Reason::Read, "read lock"),
            (Reason::Write, "write lock"),
            (Reason::Once, "once"),
            (Reason::Barrier, "barrier"),
            (Reason::Semaphore, "semaphore"),
            (Reason::WaitGroup, "wait group"),
            (Reason::Condvar, "condvar"),
            (Reason::Receive, "receive"),
            (Reason::Send, "send"),
            (Reason::Select, "select"),
            (Reason::Readable, "readable"),
            (Reason::Writable, "writable"),
            (Reason::Blocking, "blocking call"),
            (Reason::File, "file"),
        ];
        NAMES.iter().find(|(reason, _)| *reason as u8 == number).map_or("?", |(_, name)| name)
    }
}

/// One wait: of one thread, for one thing, once (until `reset`). Two words, as it often shares a cache line with what is
/// waited for.
#[repr(C)]
pub(crate) struct Waiter {
    state: WaitState,
    /// Who sleeps, and so how it is woken: a green thread's task, or with [`OS`] an OS thread's parker.
    sleeper: UnsafeCell<*const ()>,
}

/// Set in the address of a parker; both are aligned to more than that.
const OS: usize = 1;

// SAFETY: `state` is atomic, `sleeper` obeys invariant 1; a thread may be woken from anywhere.
unsafe impl Send for Waiter {}
// SAFETY: as above.
unsafe impl Sync for Waiter {}

impl fmt::Debug for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter").field("state", &self.state).finish_non_exhaustive()
    }
}

/// What a claim came to.
#[derive(Debug)]
pub(crate) enum Claim {
    /// The wait had ended before: whatever the claimer had for it goes to somebody else.
    Lost,
    /// The wait ends with this claim; the wake-up, if one is owed.
    Won(Option<Wake>),
}

impl Waiter {
    pub(crate) fn new() -> Self {
        Self { state: WaitState::new(), sleeper: UnsafeCell::new(ptr::null()) }
    }

    /// Waits, on the thread that owns this waiter, until it is claimed or the deadline has passed.
    ///
    /// After `TimedOut` nobody holds a claim, but others may still know the waiter: take it back from them
    /// before it goes.
    pub(crate) fn wait(&self, reason: Reason, deadline: Option<std::time::Instant>) -> Outcome {
        if self.state.is_settled()
            && let Some(outcome) = self.state.outcome()
        {
            return outcome;
        }
        match local::current() {
            Some((local, task)) => self.wait_green(local, task, reason, deadline),
            None => self.wait_os(deadline),
        }
    }

    fn wait_green(
        &self,
        local: &Local,
        task: &Task,
        reason: Reason,
        deadline: Option<std::time::Instant>,
    ) -> Outcome {
        if reason.is_of_siblings()
            && local.linger(|| self.state.is_settled())
            && let Some(outcome) = self.state.outcome()
        {
            return outcome;
        }
        // SAFETY: we are the waiter, and have not parked (invariant 1).
        unsafe { *self.sleeper.get() = ptr::from_ref(task).cast() };
        if !self.state.park() {
            return Outcome::Woken;
        }
        let parked = Parked { local, task };
        match deadline {
            None => parked.sleep(reason, Local::suspend),
            Some(deadline) => parked.sleep(reason, |local, task| {
                local.suspend_until(task, local.clock.nanos(deadline), self);
            }),
        }
        self.state.outcome().expect("a parked thread is resumed by a claim only")
    }

    #[cold]
    fn wait_os(&self, deadline: Option<std::time::Instant>) -> Outcome {
        let parker = Parker::current();
        // SAFETY: we are the waiter, and have not parked (invariant 1).
        unsafe { *self.sleeper.get() = Arc::as_ptr(&parker).cast::<()>().map_addr(|address| address | OS) };
        if !self.state.park() {
            return Outcome::Woken;
        }
        if !parker.park_until(deadline) {
            match self.state.claim(Outcome::TimedOut) {
                Claimed::Parked => return Outcome::TimedOut,
                // Somebody was faster: the token is on its way, and must not be left for the next wait.
                _ => parker.park(),
            }
        }
        self.state.outcome().expect("a parked thread is resumed by a claim only")
    }

    /// Parks before anybody knows of the waiter, so that neither this nor the claim takes an exchange. `None` where that
    /// can't be, or is better not done: the caller doesn't sleep as a green thread does, there is a deadline, or a sibling
    /// on another worker may be so quick that it is worth to stay awake.
    ///
    /// # Safety
    /// Nobody knows of the waiter but through the caller, who holds the lock under which the one claim of this wait will
    /// be made; when it has given that back it calls `wait_from` with the result, and does nothing in between that may
    /// switch.
    #[inline]
    pub(crate) unsafe fn park_early<'a>(&self, deadline: Option<std::time::Instant>) -> Option<Parked<'a>> {
        if deadline.is_some() {
            return None;
        }
        let (local, task) = local::current()?;
        if local.may_linger() {
            return None;
        }
        // SAFETY: we are the waiter, and have not parked (invariant 1).
        unsafe { *self.sleeper.get() = ptr::from_ref(task).cast() };
        self.state.park_for_one();
        Some(Parked { local, task })
    }

    /// As `wait`, from where `park_early` has come to.
    #[inline]
    pub(crate) fn wait_from(
        &self,
        parked: Option<Parked<'_>>,
        reason: Reason,
        deadline: Option<std::time::Instant>,
    ) -> Outcome {
        match parked {
            Some(parked) => {
                parked.sleep(reason, Local::suspend);
                Outcome::Woken
            }
            None => self.wait(reason, deadline),
        }
    }

    /// Ends the wait of `waiter`, once.
    ///
    /// # Safety
    /// `waiter` is alive during this call: its owner can't return from its wait and drop it meanwhile
    /// other than by this very claim (hold the lock under which it would take itself back).
    #[inline]
    pub(crate) unsafe fn claim(waiter: *const Waiter, outcome: Outcome) -> Claim {
        // SAFETY: alive, says the caller.
        match unsafe { &(*waiter).state }.claim(outcome) {
            Claimed::Lost => Claim::Lost,
            Claimed::Awake => Claim::Won(None),
            Claimed::Parked => Claim::Won(Some(Wake(waiter))),
        }
    }

    /// Claims and fires: for those who need nothing in between. `false` if the wait had ended before.
    ///
    /// # Safety
    /// As for [`Waiter::claim`].
    pub(crate) unsafe fn wake(waiter: *const Waiter) -> bool {
        // SAFETY: as the caller says.
        match unsafe { Self::claim(waiter, Outcome::Woken) } {
            Claim::Lost => false,
            Claim::Won(wake) => {
                drop(wake);
                true
            }
        }
    }

    /// Leaves a wake-up behind for this wait or the next (`unpark`); for waiters that outlive their waits.
    pub(crate) fn post(&self) {
        if self.state.post() {
            drop(Wake(self));
        }
    }

    /// Waiter only: ready for another wait. `true` if a wake-up lay there.
    pub(crate) fn reset(&self) -> bool {
        self.state.reset()
    }
}

/// A green thread that has parked, and is about to suspend itself.
#[derive(Debug)]
#[must_use = "whoever claims its wait takes it for suspended"]
pub(crate) struct Parked<'a> {
    local: &'a Local,
    task: &'a Task,
}

impl Parked<'_> {
    /// Until the wait is claimed.
    #[inline]
    fn sleep(self, reason: Reason, suspend: impl FnOnce(&Local, &Task)) {
        self.task.block.waits_for.store(reason as u8, Relaxed);
        suspend(self.local, self.task);
        // The rest of its block it needs to wait again or to end. After a long wait it has to be fetched, better at once.
        prefetch(ptr::from_ref(self.task).cast::<u8>().wrapping_add(64), 128);
        self.task.block.waits_for.store(Reason::Nothing as u8, Relaxed);
    }
}

/// A wake-up that is owed to a parked thread: fired when dropped.
#[derive(Debug)]
#[must_use = "the thread sleeps until this is fired; to fire it at once, drop it"]
pub(crate) struct Wake(*const Waiter);

// SAFETY: the waiter is `Sync`, and stays alive until the wake-up is paid (invariant 1).
unsafe impl Send for Wake {}

impl Wake {
    /// Makes the thread go on.
    pub(crate) fn fire(self) {
        drop(self);
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        // SAFETY: this is the one claim that left PARKED, and it pays now: the waiter is alive, and
        // `sleeper` ours to read (invariant 1).
        let sleeper = unsafe { *(*self.0).sleeper.get() };
        if sleeper.addr() & OS == 0 {
            let task = NonNull::new(sleeper.cast_mut()).expect("a waiter says who it is before it parks");
            // SAFETY: suspended by the time its worker looks (invariant 2), and claimed once only.
            unsafe { local::schedule(task.cast()) };
        } else {
            let parker = sleeper.map_addr(|address| address & !OS).cast::<Parker>();
            // SAFETY: it came from an `Arc` that the sleeper holds until it has the token; from then on ours keeps it.
            let parker = unsafe {
                Arc::increment_strong_count(parker);
                Arc::from_raw(parker)
            };
            parker.unpark();
        }
    }
}
