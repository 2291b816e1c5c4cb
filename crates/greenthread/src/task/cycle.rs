//! Joins that would wait for each other for ever.
//!
//! A thread *depends* on another one if it can't go on before that has ended: it joins it, runs it
//! on its own stack (`scheduler::inline_join`), or owns the scope that it was spawned in. Each
//! thread has one [`dependent`](Thread::dependent) at most that is followed here; so those who
//! depend on a thread, directly or not, are a chain, and a join closes a *cycle* if the chain of
//! the joiner has the joined one in it.
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
//! Why no cycle shorter than [`MOST`] is missed: one of its members makes its fence after all the
//! others. That member sees all that they have published.
//!
//! Why a walk meets only threads that are alive: a thread on the walker's chain can't go on, and so
//! can't end, before the walker has ended, unless it withdraws. Take the fence of a walker (W)
//! after it has counted itself, and that of one who has withdrawn (D). If W is before D, then the
//! walker is waited for. If D is before W, then the walk ends before it comes to the one who has
//! withdrawn. Under the lock nobody else withdraws, so a walk needs no count there.

use core::ptr::NonNull;

use super::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};

/// How long a chain is followed. A cycle has two or three members, if any; and what follows a whole
/// chain at each join makes a chain of `n` threads cost `n` squared.
pub(crate) const MOST: usize = 64;

/// A thread, as far as this file is concerned.
///
/// # Safety
/// The thread that is given as dependent can't go on before this one has ended, and is alive until
/// then.
pub(crate) unsafe trait Thread {
    /// Whether anybody depends on it.
    fn has_dependent(&self) -> bool;

    /// The thread that does.
    ///
    /// # Safety
    /// It is alive, and so is who depends on it, during this call.
    unsafe fn dependent(&self) -> Option<NonNull<Self>>;
}

/// Whether `to` is among those who depend on `from`.
///
/// # Safety
/// A thread that depends on `from`, directly or not, does not withdraw meanwhile, or waits for us
/// before it goes on.
unsafe fn leads_to<T: Thread>(from: &T, to: *const T) -> bool {
    let mut at = NonNull::from(from);
    for _ in 0..MOST {
        // SAFETY: `from`, or one who depends on it, and so is alive (see above).
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
    // SAFETY: we are counted, so a thread that withdraws waits for us, or has withdrawn before (see
    // the module).
    let found = unsafe { leads_to(from, to) };
    walkers.fetch_sub(1, Release);
    found
}

/// Ends a join that closes a cycle by `undo`, with a `pause` now and then, unless somebody else in
/// it has been faster. When it has, nobody looks at the calling thread any more.
///
/// # Safety
/// `from` is the calling thread, which joins `to` until `undo` is called; the caller has the one
/// lock for this, and `walkers` are all that there are.
pub(crate) unsafe fn withdraw<'a, T: Thread>(
    from: &T,
    to: *const T,
    walkers: impl Iterator<Item = &'a AtomicUsize>,
    undo: impl FnOnce(),
    pause: impl Fn(),
) -> bool {
    // SAFETY: nobody else withdraws, as the caller has the lock.
    if !unsafe { leads_to(from, to) } {
        return false;
    }
    undo();
    fence(SeqCst);
    for count in walkers {
        while count.load(Acquire) != 0 {
            pause();
        }
    }
    true
}
