//! The raw read-write lock.
//!
//! # States
//!
//! The state is one word of three flags, a small count, and a large field. The large field is the
//! number of readers or, while a writer holds the lock, the id of the writer's worker.
//!
//! ```text
//!   0                        free, with empty queues
//!   n * ONE                  n readers hold the lock
//!   WRITER | worker_id       a writer holds the lock; `worker_id` is 0 for an OS thread
//!   .. | QUEUED              a queue is not empty, or a thread is about to see whether one is
//!   .. | WOKEN               there is a woken writer
//!   .. | n * PASS            n readers have overtaken the queued writers
//!   .. | PASSES * PASS       barred
//! ```
//!
//! * A *queued* thread is one whose node is in the queue of readers or in that of writers. It
//!   sleeps.
//! * A *woken* writer is one that was taken out of the queue to try again. It is woken until it has
//!   taken the lock or is queued again.
//! * A *starving* writer is one that other threads have overtaken for too long (`fairness`).
//! * A *barred* lock is one that no arriving reader may enter, so that a queued writer gets it
//!   next.
//!
//! The worker id tells a thread whether spinning can help. If the writer is a green thread of the
//! spinning thread's own worker, the writer can't run while the other one spins.
//!
//! # Transitions
//!
//! * `read` adds one reader in one exchange, unless a writer holds the lock or the lock is barred.
//!   A thread whose exchange fails backs off before it tries again: moving the lock's cache line
//!   between processors costs more than everything else here.
//! * `write` takes a free lock: 0 becomes WRITER in one exchange. Otherwise the writer spins for a
//!   while if that can help. Then it is queued and sleeps.
//! * `unlock_read` subtracts one reader. The last reader, if QUEUED is set, wakes the next threads.
//! * `unlock_write` frees a lock without QUEUED: the state becomes 0 in one exchange. With QUEUED
//!   it takes the queues' lock. If there are queued readers, all of them are *granted* the lock at
//!   once. If there are none and the lock is not barred, the first writer is woken to *try*
//!   (barging, as with a mutex).
//! * Readers may overtake the queued writers `PASSES` times while no writer is woken; the last of
//!   them makes the lock barred. While a writer is woken, readers overtake it without being
//!   counted, because they don't keep it from running. A woken writer that has become starving
//!   makes the lock barred as it is queued again.
//! * While the lock is barred, readers are queued. When the last reader leaves, or a writer leaves
//!   and no reader is queued, the first writer is *handed* the lock: the thread that hands it over
//!   holds WRITER, and WRITER stays set. This ends the bar.
//!
//! So a reader waits for the writer that holds the lock, or for one writer while the lock is
//! barred. A writer can be overtaken until `fairness` calls it starving.
//!
//! # Invariants
//!
//! 1. WRITER is set by the thread that holds the lock from then on, or on its behalf by the thread
//!    that hands the lock over. A reader is counted by itself, or by the thread that grants it the
//!    lock. Only holders end their hold or hand it over. A thread that takes the lock acquires what
//!    the holders before it released. A writer releases with its store or exchange. A reader
//!    releases with its subtraction. All later changes of the word are read-modify-write
//!    operations, so they continue the release sequence.
//! 2. QUEUED is set if a queue is not empty. Both change under the queues' lock only.
//! 3. A thread that holds both the lock for writing and the queues' lock owns the state. Other
//!    threads change a WRITER state only when they are queued, give up, or wake the next threads,
//!    and they hold the queues' lock there. So `unlock_write_slow`, `downgrade` and `hand_over` may
//!    write the state with a plain store.
//! 4. No wake-up is lost. If the lock is free and a queue is not empty, a thread will look at the
//!    queues: a releaser that has not yet called `wake_next`, or a woken writer. A woken writer
//!    takes the lock and will release it, or is queued again because it finds the lock held. A
//!    queued thread that gives up calls `wake_next`.
//! 5. No reader sleeps while it may read. Readers are queued only while a writer holds the lock or
//!    the lock is barred. The bar ends when a queued writer takes the lock or when the last queued
//!    writer gives up. In the first case the writer's release lets the readers in, in the second
//!    `wake_next` does.
//! 6. WOKEN may be cleared too early (an unlock without QUEUED clears it too). That is harmless,
//!    because WOKEN only suppresses wake-ups.
//! 7. A granted reader is counted before its wait is claimed, because a claimed thread may read and
//!    leave at once. The granting thread counts as a reader itself meanwhile, so that no writer
//!    takes the lock in between.
//! 8. The nodes obey the invariants of `wait_queue`.

use core::cell::Cell;
use std::time::Instant;

use super::{
    atomic::{
        AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
    const_fn,
    fairness::{Fairness, PASSES, SPINS, back_off},
    spin::{SpinGuard, SpinLock},
    wait_queue::{Node, Queue},
};
use crate::task::wait::{Claim, Reason, Waiter};

/// State flag: a writer holds the lock.
pub(crate) const WRITER: usize = 1;
/// State flag: a queue is not empty, or a thread is about to see whether one is.
const QUEUED: usize = 2;
/// State flag: there is a woken writer.
const WOKEN: usize = 4;
/// One reader that has overtaken the queued writers.
const PASS: usize = 8;
/// Mask of the number of readers that have overtaken the queued writers.
const PASSED: usize = ONE - PASS;
/// The value of the bits of `PASSED` in a barred lock.
const BARRED: usize = PASSES * PASS;
/// One reader that holds the lock.
const ONE: usize = 256;
const _: () = assert!(BARRED & !PASSED == 0, "`PASSES` fits in the bits of `PASSED`");
/// Mask of the number of readers, or of the id of the writer's worker.
pub(crate) const REST: usize = !(ONE - 1);

/// A reader is added only to a state below this one. That keeps the number of readers from
/// overflowing. Only a program that leaks guards in a loop reaches it.
const MAX: usize = usize::MAX / 2;

/// Number of consecutive unlocks that wake no writer while WOKEN is set. With a larger number, the
/// queue waits longer for a woken writer whose worker is busy. With a smaller one, more writers are
/// woken only to find the lock held.
const SKIPS: u32 = 32;

/// A read-write lock that guards no value.
pub(crate) struct RawRwLock {
    pub(crate) state: AtomicUsize,
    waiting: SpinLock<Waiting>,
}

/// The data that the queues' lock guards.
struct Waiting {
    readers: Queue<()>,
    writers: Queue<QueuedWriter>,
    /// Number of unlocks since the last one that woke a writer (see `SKIPS`).
    skipped: u32,
}

/// The payload of a queued writer's node.
struct QueuedWriter {
    /// The id of the writer's worker, 0 for an OS thread.
    worker_id: usize,
    /// Whether this writer was handed the lock.
    handed: Cell<bool>,
}

/// The state with one more reader, if a reader may enter.
#[inline]
fn with_reader(seen: usize) -> Option<usize> {
    if seen & WRITER != 0 || is_barred(seen) {
        return None;
    }
    assert!(seen < MAX, "too many readers hold this lock");
    let passes = seen & (QUEUED | WOKEN) == QUEUED;
    Some(seen + ONE + if passes { PASS } else { 0 })
}

/// The state with a writer, if the lock is free.
#[inline]
fn with_writer(seen: usize, worker_id: usize) -> Option<usize> {
    (seen & (WRITER | REST) == 0).then_some(seen | worker_id | WRITER)
}

/// Whether arriving readers must queue although no writer holds the lock.
#[inline]
fn is_barred(seen: usize) -> bool {
    seen & PASSED == BARRED
}

impl RawRwLock {
    const_fn! {
        /// A free lock.
        pub(crate) const fn new() -> Self {
            let waiting = Waiting { readers: Queue::new(), writers: Queue::new(), skipped: 0 };
            Self { state: AtomicUsize::new(0), waiting: SpinLock::new(waiting) }
        }
    }

    /// Takes the lock for reading, and waits for it if need be. `worker_id` identifies the caller's
    /// worker; an OS thread passes 0. The bits of `worker_id` outside `REST` are ignored.
    #[inline]
    pub(crate) fn read(&self, worker_id: usize) {
        self.read_until(worker_id, None);
    }

    /// Like `read`, but gives up at the deadline. Returns whether it has taken the lock.
    #[inline]
    pub(crate) fn read_until(&self, worker_id: usize, deadline: Option<Instant>) -> bool {
        self.read_once() || self.read_slow(worker_id & REST, deadline)
    }

    /// Tries once to take the lock for reading. Fails if a writer holds the lock, if the lock is
    /// barred, or if another thread changes the state at the same time.
    #[inline]
    fn read_once(&self) -> bool {
        let seen = self.state.load(Relaxed);
        with_reader(seen)
            .is_some_and(|next| self.state.compare_exchange(seen, next, Acquire, Relaxed).is_ok())
    }

    /// Takes the lock for reading, unless a writer holds the lock or the lock is barred. Returns
    /// whether it has taken the lock.
    #[inline]
    pub(crate) fn try_read(&self) -> bool {
        self.state.fetch_update(Acquire, Relaxed, with_reader).is_ok()
    }

    /// Takes the lock for writing, and waits for it if need be. For `worker_id` see `read`.
    #[inline]
    pub(crate) fn write(&self, worker_id: usize) {
        self.write_until(worker_id, None);
    }

    /// Like `write`, but gives up at the deadline. Returns whether it has taken the lock.
    #[inline]
    pub(crate) fn write_until(&self, worker_id: usize, deadline: Option<Instant>) -> bool {
        self.state.compare_exchange(0, worker_id & REST | WRITER, Acquire, Relaxed).is_ok()
            || self.write_slow(worker_id & REST, deadline)
    }

    /// Takes the lock for writing if it is free. Returns whether it has taken the lock.
    #[inline]
    pub(crate) fn try_write(&self, worker_id: usize) -> bool {
        self.state.fetch_update(Acquire, Relaxed, |seen| with_writer(seen, worker_id & REST)).is_ok()
    }

    #[cold]
    fn read_slow(&self, worker_id: usize, deadline: Option<Instant>) -> bool {
        if self.spin(worker_id, || self.read_once()) {
            return true;
        }
        let waiter = Waiter::new();
        let node = Node::new(&waiter, ());
        if !self.enqueue_reader(&node) {
            return true;
        }
        let granted = waiter.wait(Reason::Read, deadline);
        if !granted {
            let mut waiting = self.waiting.lock();
            // SAFETY: the node is this thread's own, and `enqueue_reader` put it into this queue
            // and no other.
            unsafe { waiting.readers.remove(&node) };
            self.wake_next(waiting);
        }
        granted
    }

    #[cold]
    fn write_slow(&self, worker_id: usize, deadline: Option<Instant>) -> bool {
        if self.spin(worker_id, || self.try_write(worker_id)) {
            return true;
        }
        let waiter = Waiter::new();
        let node = Node::new(&waiter, QueuedWriter { worker_id, handed: Cell::new(false) });
        let mut fairness = Fairness::new();
        let (mut again, mut starving) = (false, false);
        while self.enqueue_writer(&node, again, starving) {
            if !waiter.wait(Reason::Write, deadline) {
                let mut waiting = self.waiting.lock();
                // SAFETY: the node is this thread's own, and `enqueue_writer` put it into this
                // queue and no other.
                unsafe { waiting.writers.remove(&node) };
                self.wake_next(waiting);
                return false;
            }
            if node.payload.handed.get() {
                return true;
            }
            // The writer was woken to try, so its node is out of the queue, and no other thread has
            // a pointer to its waiter. The waiter may be used again.
            waiter.reset();
            again = true;
            starving = fairness.lost();
        }
        true
    }

    /// Makes `attempt`, `SPINS` times at most. Stops early if the lock is barred or if a writer of
    /// the same worker holds it, because spinning can't help then. Readers of the same worker don't
    /// stop it: most readers hold the lock briefly, and some run on other workers.
    fn spin(&self, worker_id: usize, attempt: impl Fn() -> bool) -> bool {
        for round in 0..SPINS {
            let seen = self.state.load(Relaxed);
            if is_barred(seen) || (worker_id != 0 && seen & WRITER != 0 && seen & REST == worker_id) {
                return false;
            }
            back_off(round);
            if attempt() {
                return true;
            }
        }
        false
    }

    /// Puts the node into the queue of readers and returns `true`, or takes the lock for reading if
    /// that is possible now and returns `false`.
    fn enqueue_reader(&self, node: &Node<()>) -> bool {
        let mut waiting = self.waiting.lock();
        let next = |seen| Some(with_reader(seen).unwrap_or(seen | QUEUED));
        let (Ok(seen) | Err(seen)) = self.state.fetch_update(Acquire, Relaxed, next);
        if with_reader(seen).is_some() {
            return false;
        }
        // SAFETY: the node is in no queue. `read_slow` keeps it until it has been dequeued and
        // claimed, or dequeues it (invariant 8).
        unsafe { waiting.readers.push(node) };
        true
    }

    /// Puts the node into the queue of writers and returns `true`, or takes the lock for writing if
    /// that is possible now and returns `false`. `again` means that the caller is a woken writer,
    /// which goes to the front of the queue. `starving` makes the lock barred.
    fn enqueue_writer(&self, node: &Node<QueuedWriter>, again: bool, starving: bool) -> bool {
        let woken = if again { WOKEN } else { 0 };
        let passed = if again { PASSED } else { 0 };
        let worker_id = node.payload.worker_id;
        let mut waiting = self.waiting.lock();
        let next = |seen| {
            let next = match with_writer(seen, worker_id) {
                Some(next) => next & !passed,
                None if starving => seen & !PASSED | BARRED | QUEUED,
                None => seen | QUEUED,
            };
            Some(next & !woken)
        };
        let (Ok(seen) | Err(seen)) = self.state.fetch_update(Acquire, Relaxed, next);
        if with_writer(seen, worker_id).is_some() {
            return false;
        }
        // SAFETY: the node is in no queue. `write_slow` keeps it until it has been dequeued and
        // claimed, or dequeues it (invariant 8).
        unsafe {
            match again {
                true => waiting.writers.insert(node, |_| true),
                false => waiting.writers.push(node),
            }
        }
        true
    }

    /// Releases the lock for one reader.
    ///
    /// # Safety
    /// The caller holds the lock for reading.
    #[inline]
    pub(crate) unsafe fn unlock_read(&self) {
        if self.leave() {
            self.wake_next(self.waiting.lock());
        }
    }

    /// Removes one reader. Returns whether the caller must call `wake_next`: whether the lock is
    /// free now, and QUEUED is set.
    #[inline]
    fn leave(&self) -> bool {
        let seen = self.state.fetch_sub(ONE, Release) - ONE;
        seen & REST == 0 && seen & QUEUED != 0
    }

    /// Releases the lock for the writer.
    ///
    /// # Safety
    /// The caller holds the lock for writing.
    #[inline]
    pub(crate) unsafe fn unlock_write(&self) {
        let seen = self.state.load(Relaxed);
        if seen & QUEUED != 0 || self.state.compare_exchange(seen, 0, Release, Relaxed).is_err() {
            self.unlock_write_slow();
        }
    }

    /// Turns the writer into a reader. No other writer takes the lock in between.
    ///
    /// # Safety
    /// The caller holds the lock for writing. Afterwards it holds the lock for reading.
    pub(crate) unsafe fn downgrade(&self) {
        let seen = self.state.load(Relaxed);
        if seen & QUEUED == 0 {
            let reader = seen & WOKEN | ONE;
            if self.state.compare_exchange(seen, reader, Release, Relaxed).is_ok() {
                return;
            }
        }
        let waiting = self.waiting.lock();
        // A plain store: this thread owns the state (invariant 3). It counts one reader for the
        // caller, and one that `share` gives up.
        self.state.store(self.state.load(Relaxed) & (WOKEN | PASSED) | QUEUED | (ONE + ONE), Release);
        self.share(waiting);
    }

    #[cold]
    fn unlock_write_slow(&self) {
        let waiting = self.waiting.lock();
        // Plain stores below: this thread owns the state (invariant 3).
        let kept = self.state.load(Relaxed) & (WOKEN | PASSED) | QUEUED;
        if !waiting.readers.is_empty() {
            self.state.store(kept | ONE, Release);
            self.share(waiting);
        } else if is_barred(kept) {
            self.hand_over(waiting);
        } else {
            self.state.store(kept, Release);
            self.wake_next(waiting);
        }
    }

    /// Hands the lock to the first queued writer. This ends the bar. The caller has set WRITER for
    /// itself, and this function takes that hold over.
    fn hand_over(&self, mut waiting: SpinGuard<'_, Waiting>) {
        // Plain stores below: this thread owns the state (invariant 3).
        let woken = self.state.load(Relaxed) & WOKEN;
        let wake = loop {
            let Some(node) = waiting.writers.pop() else {
                self.state.store(woken | QUEUED, Release);
                return self.wake_next(waiting);
            };
            // SAFETY: this thread dequeued the node under the queues' lock, so the node is alive
            // until the claim (invariant 8).
            let writer = unsafe { &(*node).payload };
            let next_worker = writer.worker_id;
            writer.handed.set(true);
            // SAFETY: this thread dequeued the node, and still holds the queues' lock.
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                let queued = if waiting.is_empty() { 0 } else { QUEUED };
                self.state.store(queued | woken | next_worker | WRITER, Release);
                break wake;
            }
        };
        drop(waiting);
        drop(wake);
    }

    /// Grants the lock to all queued readers. The caller has counted one reader for itself, and
    /// this function removes that reader at the end (invariant 7).
    fn share(&self, mut waiting: SpinGuard<'_, Waiting>) {
        let count = |_: &()| {
            self.state.fetch_add(ONE, Relaxed);
            true
        };
        let wakes = waiting.readers.claim_while(count, |()| {
            self.state.fetch_sub(ONE, Relaxed);
        });
        if waiting.is_empty() {
            self.state.fetch_and(!(QUEUED | PASSED), Relaxed);
        }
        drop(waiting);
        drop(wakes);
        if self.leave() {
            self.wake_next(self.waiting.lock());
        }
    }

    /// Grants the lock to the queued readers, hands it to the first queued writer, or wakes that
    /// writer to try, as the state allows. Does nothing if the lock's holders or a woken writer
    /// will call it again.
    #[cold]
    fn wake_next(&self, mut waiting: SpinGuard<'_, Waiting>) {
        let wake = loop {
            let seen = self.state.load(Relaxed);
            if seen & WRITER != 0 {
                return;
            }
            if waiting.is_empty() {
                self.state.fetch_and(!(QUEUED | PASSED), Relaxed);
                return;
            }
            let barred = is_barred(seen) && !waiting.writers.is_empty();
            if !barred && !waiting.readers.is_empty() {
                // `share` needs a reader that counts for this thread (invariant 7).
                match self.state.compare_exchange(seen, seen + ONE, Acquire, Relaxed) {
                    Ok(_) => return self.share(waiting),
                    Err(_) => continue,
                }
            }
            if seen & REST != 0 {
                return;
            }
            if barred {
                match self.state.compare_exchange(seen, seen | WRITER, Acquire, Relaxed) {
                    Ok(_) => return self.hand_over(waiting),
                    Err(_) => continue,
                }
            }
            if seen & WOKEN != 0 && waiting.skipped < SKIPS {
                waiting.skipped += 1;
                return;
            }
            waiting.skipped = 0;
            let node = waiting.writers.pop().expect("writers are queued, and no readers");
            let queued = if waiting.is_empty() { QUEUED } else { 0 };
            // WOKEN is set before the claim: the writer may clear it as soon as it is claimed.
            self.state.fetch_or(WOKEN, Relaxed);
            self.state.fetch_and(!queued, Relaxed);
            // SAFETY: this thread dequeued the node, and still holds the queues' lock.
            match unsafe { Node::claim(node) } {
                Claim::Won(wake) => break wake,
                Claim::Lost => self.state.fetch_and(!WOKEN, Relaxed),
            };
        };
        drop(waiting);
        drop(wake);
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.readers.is_empty() && self.writers.is_empty()
    }
}
