//! Joins that would wait for each other for ever.
//!
//! A thread *depends* on another one if it can't go on before that has ended: it joins it, runs it
//! on its own stack (`scheduler::inline_join`), or owns the scope that it was spawned in. For each
//! thread at most one [`dependent`](Thread::dependent) is followed here. So the threads that depend
//! on a thread, directly or not, are a *chain*. A join closes a *cycle* if the joined thread is in
//! the chain of the joiner.
//!
//! ```text
//!   a joiner                                 a joiner that has found a cycle
//!   --------                                 -------------------------------
//!   publish: I depend on it                  lock
//!   fence                                    walk again: no cycle any more?  unlock, wait
//!   nobody depends on me?  wait              withdraw: I don't depend on it
//!   walkers += 1                             fence
//!   fence                                    until all walkers are 0: wait awake
//!   walk my chain, for a while               unlock
//!   walkers -= 1                             panic
//!   is it in there?  a cycle
//!   wait
//! ```
//!
//! Why no cycle shorter than [`MAX_CHAIN`] is missed: one of its members makes its fence after all
//! the others. That member sees all that they have published.
//!
//! Why a walk meets only threads that are alive: a thread on the walker's chain can't go on, and so
//! can't end, before the walker has ended, unless it withdraws. Call W the fence of a walker after
//! it has counted itself, and D the fence of a thread that has withdrawn. If W comes before D, the
//! thread that withdraws waits for the walker. If D comes before W, the walk ends before it reaches
//! that thread. Only the holder of the lock withdraws, so a walk under the lock needs no count.
//!
//! A joiner that is cancelled, and a future that is dropped, withdraw as well, without a walk.

use core::ptr::NonNull;

use super::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};

/// The number of threads up to which a chain is followed. Cycles have two or three members, so a
/// larger number finds hardly more of them. Without a bound, a chain of `n` joins would cost `n`
/// squared steps.
pub(crate) const MAX_CHAIN: usize = 64;

/// A thread, as far as this file is concerned.
///
/// # Safety
/// The thread that is given as dependent can't go on before this one has ended, and is alive until
/// then.
pub(crate) unsafe trait Thread {
    /// Whether a thread depends on it.
    fn has_dependent(&self) -> bool;

    /// The thread that depends on it, if there is one.
    ///
    /// # Safety
    /// The thread, and the thread that depends on it, are alive during this call.
    unsafe fn dependent(&self) -> Option<NonNull<Self>>;
}

/// Whether `to` is in the chain of `from`.
///
/// # Safety
/// During this call no thread in the chain of `from` withdraws, or if one does, it waits for the
/// caller before it goes on.
unsafe fn leads_to<T: Thread>(from: &T, to: *const T) -> bool {
    let mut at = NonNull::from(from);
    for _ in 0..MAX_CHAIN {
        // SAFETY: this is `from` or a thread in its chain. Such a thread is alive, as long as it
        // does not go on after it has withdrawn (see the module).
        match unsafe { at.as_ref().dependent() } {
            Some(next) if core::ptr::eq(next.as_ptr(), to) => return true,
            Some(next) => at = next,
            None => return false,
        }
    }
    false
}

/// Whether the join that `from` has just published, of `to`, closes a cycle.
///
/// # Safety
/// `from` is the calling thread, and `walkers` is among those that [`withdraw`] is given.
pub(crate) unsafe fn closes<T: Thread>(from: &T, to: *const T, walkers: &AtomicUsize) -> bool {
    fence(SeqCst);
    if !from.has_dependent() {
        return false;
    }
    walkers.fetch_add(1, Relaxed);
    fence(SeqCst);
    // SAFETY: this walker is counted, so a thread that withdraws waits for it, or has withdrawn
    // before and is not met (see the module).
    let found = unsafe { leads_to(from, to) };
    walkers.fetch_sub(1, Release);
    found
}

/// Ends a join that closes a cycle: `undo` takes it back. Then waits for all walkers, and calls
/// `pause` between two looks; after that no walker looks at the calling thread. Returns `false`,
/// and does nothing, if another member of the cycle has withdrawn before.
///
/// # Safety
/// `from` is the calling thread, which joins `to` until `undo` is called. The caller has the one
/// lock of all threads that withdraw. `walkers` are all counts of walkers.
pub(crate) unsafe fn withdraw<'a, T: Thread>(
    from: &T,
    to: *const T,
    walkers: impl Iterator<Item = &'a AtomicUsize>,
    undo: impl FnOnce(),
    pause: impl Fn(),
) -> bool {
    // SAFETY: no other thread withdraws, as the caller has the lock.
    if !unsafe { leads_to(from, to) } {
        return false;
    }
    undo();
    await_walkers(walkers, pause);
    true
}

/// Waits for all walkers, and calls `pause` between two looks. After that no walker looks at a
/// thread that has taken its join back before this call. The caller holds the one lock of all
/// threads that withdraw, and `walkers` are all counts of walkers.
pub(crate) fn await_walkers<'a>(walkers: impl Iterator<Item = &'a AtomicUsize>, pause: impl Fn()) {
    fence(SeqCst);
    for count in walkers {
        while count.load(Acquire) != 0 {
            pause();
        }
    }
}
