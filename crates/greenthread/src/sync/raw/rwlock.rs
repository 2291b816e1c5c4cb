//! The states of a read-write lock, and the only ways from one to the next.
//!
//! The state is one word: three bits, a small count, and in the rest the number of readers or,
//! while a writer holds the lock, the writer's worker (0 for an OS thread), which says whether it
//! is any use to spin.
//!
//! ```text
//!   0                        free, nobody waits
//!   n * ONE                  n readers
//!   WRITER | worker_id       a writer
//!   .. | QUEUED              a queue is not empty, or is just being looked at
//!   .. | WOKEN               a writer was woken to try again, and has neither got the lock nor gone back yet
//!   .. | n * PASS            n readers have passed the queued writers; if n is `PASSES` (BARRED), no more will
//! ```
//!
//! * `read`: one more reader, one exchange, unless there is a writer or a bar. Whoever loses the
//!   race for it lets the other processor be for a while: the lock's cache line is dearer than all
//!   else here.
//! * `write`: 0 to WRITER, one exchange. Otherwise it spins for a while if that can help; then it
//!   queues, and sleeps.
//! * `unlock_read`: one reader less, one subtraction. The last one, if a queue is not empty, rouses
//!   it.
//! * `unlock_write`: without QUEUED, to 0, one exchange. Otherwise, under the queues' lock: all
//!   queued readers are *granted* the lock, at once. If there are none, the first writer is woken
//!   to *try* (barging, as with a mutex).
//! * Readers pass a queued writer `PASSES` times. One that is awake again they pass as they like,
//!   since it isn't they who keep it from running; but if it comes too late for too long
//!   (`fairness`), it puts up the bar. Where there is a bar, readers queue, and the first writer is
//!   *handed* the lock, which is then WRITER all the time.
//! * So a reader waits for the writer that holds the lock, or for the one behind the bar; and a
//!   writer is passed for as long as `fairness` says.
//!
//! Invariants:
//! 1. WRITER is set by the one thread that from then on holds the lock, or for it by whoever hands
//!    it over; a reader is counted by itself or by whoever grants it the lock. Only holders, or
//!    their handing over, end that. Whoever takes the lock acquires what those before it released:
//!    on a writer's way out by its store or exchange, on a reader's by its subtraction, all later
//!    changes of the word being exchanges too.
//! 2. QUEUED is set if a queue is not empty; both change under the queues' lock only.
//! 3. The queues' lock, held while WRITER is ours, makes the state ours: others change such a state
//!    only as they queue, give up and rouse, under that lock. So `unlock_write_slow` and the like
//!    may write it with a plain store.
//! 4. Where the lock is free and a queue is not empty, somebody is on the way who will look there:
//!    a releaser before `rouse`, or a woken writer (WOKEN), which takes the lock and will release
//!    it, or goes back to the queue when it finds the lock held, or gives up and rouses. No wake-up
//!    is lost.
//! 5. Readers queue where there is a writer or a bar. The bar goes when a writer takes the lock, or
//!    with the last queued writer, and both let those readers in: none sleeps while others may
//!    read.
//! 6. WOKEN may be lost (an unlock without QUEUED clears it too): it suppresses only.
//! 7. A grant is counted before its claim: a thread that is claimed may read and leave at once.
//!    While grants are given the granter is a reader itself, so that no writer gets in between.
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

/// A writer holds it.
pub(crate) const WRITER: usize = 1;
const QUEUED: usize = 2;
const WOKEN: usize = 4;
/// One reader has passed the queued writers.
const PASS: usize = 8;
/// How many have.
const PASSED: usize = ONE - PASS;
/// Too many have.
const BARRED: usize = PASSES * PASS;
/// One reader.
const ONE: usize = 256;
const _: () = assert!(BARRED & !PASSED == 0, "the count has room for so many");
/// How many readers there are, or where the writer's worker is.
pub(crate) const REST: usize = !(ONE - 1);

/// So many readers there are only if guards are leaked in a loop; the count must not reach the top.
const MAX: usize = usize::MAX / 2;

/// How many unlocks wake nobody while a woken writer is on its way.
const SKIPS: u32 = 32;

/// A read-write lock without anything in it.
pub(crate) struct RawRwLock {
    pub(crate) state: AtomicUsize,
    waiting: SpinLock<Waiting>,
}

/// The two queues, and what else their lock guards.
struct Waiting {
    readers: Queue<()>,
    writers: Queue<Turn>,
    skipped: u32,
}

/// A waiting writer.
struct Turn {
    /// Where it runs.
    worker_id: usize,
    /// It was handed the lock.
    handed: Cell<bool>,
}

/// The state with one more reader, if it lets readers in.
#[inline]
fn with_reader(seen: usize) -> Option<usize> {
    if seen & WRITER != 0 || is_barred(seen) {
        return None;
    }
    assert!(seen < MAX, "too many readers hold this lock");
    let passes = seen & (QUEUED | WOKEN) == QUEUED;
    Some(seen + ONE + if passes { PASS } else { 0 })
}

/// The state with a writer, if it lets writers in.
#[inline]
fn with_writer(seen: usize, worker_id: usize) -> Option<usize> {
    (seen & (WRITER | REST) == 0).then_some(seen | worker_id | WRITER)
}

#[inline]
fn is_barred(seen: usize) -> bool {
    seen & PASSED == BARRED
}

impl RawRwLock {
    const_fn! {
        /// A free one.
        pub(crate) const fn new() -> Self {
            let waiting = Waiting { readers: Queue::new(), writers: Queue::new(), skipped: 0 };
            Self { state: AtomicUsize::new(0), waiting: SpinLock::new(waiting) }
        }
    }

    /// Takes the lock for reading; `worker_id` tells the caller's worker from others, 0 is none.
    #[inline]
    pub(crate) fn read(&self, worker_id: usize) {
        self.read_until(worker_id, None);
    }

    /// As `read`, until the deadline at most; whether it has taken the lock.
    #[inline]
    pub(crate) fn read_until(&self, worker_id: usize, deadline: Option<Instant>) -> bool {
        self.read_once() || self.read_slow(worker_id & REST, deadline)
    }

    /// Takes the lock for reading, unless there is a writer or a bar, or somebody else is faster.
    #[inline]
    fn read_once(&self) -> bool {
        let seen = self.state.load(Relaxed);
        with_reader(seen)
            .is_some_and(|next| self.state.compare_exchange(seen, next, Acquire, Relaxed).is_ok())
    }

    /// Takes the lock for reading if there is neither a writer nor a bar.
    #[inline]
    pub(crate) fn try_read(&self) -> bool {
        self.state.fetch_update(Acquire, Relaxed, with_reader).is_ok()
    }

    /// Takes the lock for writing; `worker_id` as above.
    #[inline]
    pub(crate) fn write(&self, worker_id: usize) {
        self.write_until(worker_id, None);
    }

    /// As `write`, until the deadline at most; whether it has taken the lock.
    #[inline]
    pub(crate) fn write_until(&self, worker_id: usize, deadline: Option<Instant>) -> bool {
        self.state.compare_exchange(0, worker_id & REST | WRITER, Acquire, Relaxed).is_ok()
            || self.write_slow(worker_id & REST, deadline)
    }

    /// Takes the lock for writing if it is free.
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
            // SAFETY: our own, put into this queue.
            unsafe { waiting.readers.remove(&node) };
            self.rouse(waiting);
        }
        granted
    }

    #[cold]
    fn write_slow(&self, worker_id: usize, deadline: Option<Instant>) -> bool {
        if self.spin(worker_id, || self.try_write(worker_id)) {
            return true;
        }
        let waiter = Waiter::new();
        let node = Node::new(&waiter, Turn { worker_id, handed: Cell::new(false) });
        let mut fairness = Fairness::new();
        let (mut again, mut impatient) = (false, false);
        while self.enqueue_writer(&node, again, impatient) {
            if !waiter.wait(Reason::Write, deadline) {
                let mut waiting = self.waiting.lock();
                // SAFETY: our own, put into this queue.
                unsafe { waiting.writers.remove(&node) };
                self.rouse(waiting);
                return false;
            }
            if node.payload.handed.get() {
                return true;
            }
            // Woken to try, and out of the queue: nobody knows the waiter any more.
            waiter.reset();
            again = true;
            impatient = fairness.lost();
        }
        true
    }

    /// Tries for as long as it is worth it: not at a bar, and not if the holder is a writer of the
    /// same worker. Readers may be of the same worker too, but most are brief.
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

    /// Puts a reader into its queue, or takes the lock if that is possible now.
    fn enqueue_reader(&self, node: &Node<()>) -> bool {
        let mut waiting = self.waiting.lock();
        let next = |seen| Some(with_reader(seen).unwrap_or(seen | QUEUED));
        let (Ok(seen) | Err(seen)) = self.state.fetch_update(Acquire, Relaxed, next);
        if with_reader(seen).is_some() {
            return false;
        }
        // SAFETY: the caller keeps the node until it has been taken out and claimed, or takes it
        // out (invariant 8).
        unsafe { waiting.readers.push(node) };
        true
    }

    /// Puts a writer into its queue, or takes the lock if that is possible now. `again`: it was
    /// woken to try, and is the first there again; `impatient`: in vain too often.
    fn enqueue_writer(&self, node: &Node<Turn>, again: bool, impatient: bool) -> bool {
        let woken = if again { WOKEN } else { 0 };
        let passed = if again { PASSED } else { 0 };
        let worker_id = node.payload.worker_id;
        let mut waiting = self.waiting.lock();
        let next = |seen| {
            let next = match with_writer(seen, worker_id) {
                Some(next) => next & !passed,
                None if impatient => seen & !PASSED | BARRED | QUEUED,
                None => seen | QUEUED,
            };
            Some(next & !woken)
        };
        let (Ok(seen) | Err(seen)) = self.state.fetch_update(Acquire, Relaxed, next);
        if with_writer(seen, worker_id).is_some() {
            return false;
        }
        // SAFETY: as above.
        unsafe {
            match again {
                true => waiting.writers.insert(node, |_| true),
                false => waiting.writers.push(node),
            }
        }
        true
    }

    /// Gives a reader's lock back.
    ///
    /// # Safety
    /// The caller holds it for reading.
    #[inline]
    pub(crate) unsafe fn unlock_read(&self) {
        if self.leave() {
            self.rouse(self.waiting.lock());
        }
    }

    /// One reader less; whether the lock is free now and a queue is not empty.
    #[inline]
    fn leave(&self) -> bool {
        let seen = self.state.fetch_sub(ONE, Release) - ONE;
        seen & REST == 0 && seen & QUEUED != 0
    }

    /// Gives the writer's lock back.
    ///
    /// # Safety
    /// The caller holds it for writing.
    #[inline]
    pub(crate) unsafe fn unlock_write(&self) {
        let seen = self.state.load(Relaxed);
        if seen & QUEUED != 0 || self.state.compare_exchange(seen, 0, Release, Relaxed).is_err() {
            self.unlock_write_slow();
        }
    }

    /// Makes a reader of the writer; nobody writes in between.
    ///
    /// # Safety
    /// The caller holds the lock for writing; afterwards, for reading.
    pub(crate) unsafe fn downgrade(&self) {
        let seen = self.state.load(Relaxed);
        if seen & QUEUED == 0 {
            let reader = seen & WOKEN | ONE;
            if self.state.compare_exchange(seen, reader, Release, Relaxed).is_ok() {
                return;
            }
        }
        let waiting = self.waiting.lock();
        // Ours to write (invariant 3): one reader for the caller, and one for `share`.
        self.state.store(self.state.load(Relaxed) & (WOKEN | PASSED) | QUEUED | (ONE + ONE), Release);
        self.share(waiting);
    }

    #[cold]
    fn unlock_write_slow(&self) {
        let waiting = self.waiting.lock();
        // Ours to write (invariant 3).
        let kept = self.state.load(Relaxed) & (WOKEN | PASSED) | QUEUED;
        if !waiting.readers.is_empty() {
            self.state.store(kept | ONE, Release);
            self.share(waiting);
        } else if is_barred(kept) {
            self.hand_over(waiting);
        } else {
            self.state.store(kept, Release);
            self.rouse(waiting);
        }
    }

    /// With WRITER ours, which it gives up: hands it to the first queued writer. That ends the bar.
    fn hand_over(&self, mut waiting: SpinGuard<'_, Waiting>) {
        // Ours to write (invariant 3).
        let woken = self.state.load(Relaxed) & WOKEN;
        let wake = loop {
            let Some(node) = waiting.writers.pop() else {
                self.state.store(woken | QUEUED, Release);
                return self.rouse(waiting);
            };
            // SAFETY: just taken out under the lock: alive until the claim (invariant 8).
            let turn = unsafe { &(*node).payload };
            let next_worker = turn.worker_id;
            turn.handed.set(true);
            // SAFETY: as above.
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                let queued = if waiting.is_empty() { 0 } else { QUEUED };
                self.state.store(queued | woken | next_worker | WRITER, Release);
                break wake;
            }
        };
        drop(waiting);
        drop(wake);
    }

    /// With one reader's lock ours, which it gives up: lets all queued readers in.
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
            self.rouse(self.waiting.lock());
        }
    }

    /// Sees to it that whoever has its turn goes on, if the lock's state lets it. Else its holder
    /// will.
    #[cold]
    fn rouse(&self, mut waiting: SpinGuard<'_, Waiting>) {
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
                // To let others in, one must be in oneself.
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
            // The thread may clear WOKEN as soon as it is claimed.
            self.state.fetch_or(WOKEN, Relaxed);
            self.state.fetch_and(!queued, Relaxed);
            // SAFETY: just taken out under the lock: alive until the claim (invariant 8).
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
