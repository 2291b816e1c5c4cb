//! The states of a read-write lock, and the only ways from one to the next.
//!
//! The state is one word: three bits, and in the rest the number of readers or, while a writer holds the lock, the
//! writer's worker (0 for an OS thread), which says whether it is any use to spin.
//!
//! ```text
//!   0                        free, nobody waits
//!   n * ONE                  n readers
//!   WRITER | here            a writer
//!   .. | QUEUED              the queue is not empty, or is just being looked at
//!   .. | WOKEN               a writer was woken to try again, and has neither got the lock nor gone back yet
//! ```
//!
//! * `read`: one more reader, one exchange, unless there is a writer or a queue: readers that come pass nobody.
//! * `write`: 0 to WRITER, one exchange. Otherwise it spins for a while if that can help; then it queues, and sleeps.
//! * `unlock_read`: one reader less, one subtraction. The last one, if there is a queue, rouses it.
//! * `unlock_write`: without QUEUED, to 0, one exchange. Otherwise, under the queue's lock: the readers at the
//!   front are *granted* the lock, all at once. A writer at the front is woken to *try* (barging, as with a mutex) or,
//!   once it has lost patience (`patience`), is *handed* the lock, which stays WRITER.
//! * So a reader waits for the writers before it and no others, and a writer is passed by other writers, and by
//!   readers that find no queue, for as long as its patience lasts.
//!
//! Invariants:
//! 1. WRITER is set by the one thread that from then on holds the lock, or for it by whoever hands it over; a reader
//!    is counted by itself or by whoever grants it the lock. Only holders, or their handing over, end that. Whoever
//!    takes the lock acquires what those before it released: on a writer's way out by its store or exchange, on a
//!    reader's by its subtraction, all later changes of the word being exchanges too.
//! 2. QUEUED is set if the queue is not empty; both change under the queue's lock only.
//! 3. The queue's lock, held while WRITER is ours, makes the state ours: others change such a state only in
//!    `enqueue`, `give_up` and `rouse`, under that lock. So `unlock_write_slow` and `downgrade` may write it with a
//!    plain store.
//! 4. Where the lock is free and the queue is not empty, somebody is on the way who will look at the queue: a
//!    releaser before `rouse`, or a woken writer (WOKEN), which takes the lock and will release it, or goes back to
//!    the queue when it finds the lock held, or gives up and rouses. No wake-up is lost.
//! 5. WOKEN may be lost (an unlock without QUEUED clears it too): it suppresses only.
//! 6. A grant is counted before its claim: a thread that is claimed may read and leave at once. While grants are
//!    given the granter is a reader itself, so that no writer gets in between.
//! 7. The nodes obey the invariants of `queue`.
//!
//! `RawRwLock::new` is in `held`, since it is `const` and a model checker's atomics have no such constructor.

use core::cell::Cell;
use std::time::Instant;

use super::{
    atomic::{
        AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
    patience::{Patience, SPINS, back_off},
    queue::{Node, Queue},
    short::{ShortGuard, ShortLock},
};
use crate::task::wait::{Claim, Outcome, Reason, Waiter};

/// A writer holds it.
pub(super) const WRITER: usize = 1;
const QUEUED: usize = 2;
const WOKEN: usize = 4;
/// One reader.
const ONE: usize = 8;
/// How many readers there are, or where the writer's worker is.
pub(super) const REST: usize = !7;

/// So many readers there are only if guards are leaked in a loop; the count must not reach the top.
const MAX: usize = usize::MAX / 2;

/// How many unlocks wake nobody while a woken writer is on its way.
const SKIPS: u32 = 32;

/// A read-write lock without anything in it.
pub(crate) struct RawRwLock {
    pub(super) state: AtomicUsize,
    pub(super) waiting: ShortLock<Waiting>,
}

/// What the queue's lock guards.
pub(crate) struct Waiting {
    pub(super) queue: Queue<Turn>,
    /// The next newcomer's ticket.
    pub(super) tickets: u32,
    pub(super) skipped: u32,
}

/// A waiting thread.
pub(crate) struct Turn {
    reads: bool,
    /// Newer threads have later tickets, so a writer that was woken in vain gets its place again.
    ticket: Cell<u32>,
    /// Where it runs.
    here: usize,
    /// A writer that has lost patience: hand it the lock.
    impatient: Cell<bool>,
    /// It was handed the lock.
    handed: Cell<bool>,
}

impl Turn {
    fn new(reads: bool, here: usize) -> Self {
        Self { reads, ticket: Cell::new(0), here, impatient: Cell::new(false), handed: Cell::new(false) }
    }
}

/// Whether a newcomer finds the lock taken: to readers a queue is as bad as a writer.
#[inline]
fn is_closed(state: usize, reads: bool) -> bool {
    state & if reads { WRITER | QUEUED } else { WRITER | REST } != 0
}

impl RawRwLock {
    /// Takes the lock for reading; `here` tells the caller's worker from others, 0 is none.
    #[inline]
    pub(crate) fn read(&self, here: usize) {
        self.read_until(here, None);
    }

    /// As `read`, until the deadline at most; whether it has taken the lock.
    #[inline]
    pub(crate) fn read_until(&self, here: usize, deadline: Option<Instant>) -> bool {
        self.try_read() || self.read_slow(here & REST, deadline)
    }

    /// Takes the lock for reading if there is neither a writer nor a queue.
    #[inline]
    pub(crate) fn try_read(&self) -> bool {
        let mut seen = self.state.load(Relaxed);
        while !is_closed(seen, true) {
            assert!(seen < MAX, "too many readers hold this lock");
            match self.state.compare_exchange_weak(seen, seen + ONE, Acquire, Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// Takes the lock for writing; `here` as above.
    #[inline]
    pub(crate) fn write(&self, here: usize) {
        self.write_until(here, None);
    }

    /// As `write`, until the deadline at most; whether it has taken the lock.
    #[inline]
    pub(crate) fn write_until(&self, here: usize, deadline: Option<Instant>) -> bool {
        self.state.compare_exchange(0, here & REST | WRITER, Acquire, Relaxed).is_ok()
            || self.write_slow(here & REST, deadline)
    }

    /// Takes the lock for writing if it is free.
    #[inline]
    pub(crate) fn try_write(&self, here: usize) -> bool {
        let mut seen = self.state.load(Relaxed);
        while !is_closed(seen, false) {
            match self.state.compare_exchange_weak(seen, seen | here & REST | WRITER, Acquire, Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    #[cold]
    fn read_slow(&self, here: usize, deadline: Option<Instant>) -> bool {
        if self.spin(here, || self.try_read()) {
            return true;
        }
        let waiter = Waiter::new();
        let node = Node::new(&waiter, Turn::new(true, here));
        if !self.enqueue(&node, false) {
            return true;
        }
        let granted = waiter.wait(Reason::Read, deadline) == Outcome::Woken;
        if !granted {
            self.give_up(&node);
        }
        granted
    }

    #[cold]
    fn write_slow(&self, here: usize, deadline: Option<Instant>) -> bool {
        if self.spin(here, || self.try_write(here)) {
            return true;
        }
        let waiter = Waiter::new();
        let node = Node::new(&waiter, Turn::new(false, here));
        let mut patience = Patience::new();
        let mut again = false;
        while self.enqueue(&node, again) {
            if waiter.wait(Reason::Write, deadline) == Outcome::TimedOut {
                self.give_up(&node);
                return false;
            }
            if node.payload.handed.get() {
                return true;
            }
            // Woken to try, and out of the queue: nobody knows the waiter any more.
            waiter.reset();
            node.payload.impatient.set(patience.lost());
            again = true;
        }
        true
    }

    /// Tries for as long as it is worth it: not if the holder is a writer of the same worker. Readers may be of the same
    /// worker too, but most are brief; and a writer that queues, where it could have slipped in between them, stops them all.
    fn spin(&self, here: usize, attempt: impl Fn() -> bool) -> bool {
        for round in 0..SPINS {
            if attempt() {
                return true;
            }
            let seen = self.state.load(Relaxed);
            if here != 0 && seen & WRITER != 0 && seen & REST == here {
                return false;
            }
            back_off(round);
        }
        false
    }

    /// Puts the node into the queue, or takes the lock if that is possible now. `again`: it was woken to try.
    fn enqueue(&self, node: &Node<Turn>, again: bool) -> bool {
        let Turn { reads, here, .. } = node.payload;
        let clear = if again { WOKEN } else { 0 };
        let mut waiting = self.waiting.lock();
        let mut seen = self.state.load(Relaxed);
        loop {
            let closed = is_closed(seen, reads);
            let (next, order) = match (closed, reads) {
                (true, _) => (seen | QUEUED, Relaxed),
                (false, true) => (seen + ONE, Acquire),
                (false, false) => (seen | here | WRITER, Acquire),
            };
            match self.state.compare_exchange_weak(seen, next & !clear, order, Relaxed) {
                Ok(_) if closed => break,
                Ok(_) => return false,
                Err(now) => seen = now,
            }
        }
        if again {
            let ticket = node.payload.ticket.get();
            // SAFETY: the caller keeps the node until it has been taken out and claimed, or takes it out (invariant 7).
            unsafe { waiting.queue.insert(node, |turn| turn.ticket.get().wrapping_sub(ticket) as i32 > 0) };
        } else {
            node.payload.ticket.set(waiting.tickets);
            waiting.tickets = waiting.tickets.wrapping_add(1);
            // SAFETY: as above.
            unsafe { waiting.queue.push(node) };
        }
        true
    }

    /// Takes the node back; those behind it may be able to go now.
    fn give_up(&self, node: &Node<Turn>) {
        // SAFETY: our own, put into this queue.
        unsafe { self.waiting.lock().queue.remove(node) };
        self.rouse(self.waiting.lock());
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

    /// One reader less; whether the lock is free now and the queue wants to be looked at.
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
            self.unlock_write_slow(self.waiting.lock());
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
        self.state.store(self.state.load(Relaxed) & WOKEN | QUEUED | (ONE + ONE), Release);
        self.share(waiting);
    }

    /// With WRITER ours, which it gives up or hands over.
    #[cold]
    fn unlock_write_slow(&self, mut waiting: ShortGuard<'_, Waiting>) {
        let woken = self.state.load(Relaxed) & WOKEN;
        let wake = loop {
            let Some(turn) = waiting.queue.front() else {
                self.state.store(0, Release);
                return;
            };
            // The state is ours to write (invariant 3).
            if turn.reads {
                self.state.store(woken | QUEUED | ONE, Release);
                return self.share(waiting);
            }
            if !turn.impatient.get() {
                self.state.store(woken | QUEUED, Release);
                return self.rouse(waiting);
            }
            let there = turn.here;
            turn.handed.set(true);
            let node = waiting.queue.pop().expect("there is a first one");
            // SAFETY: just taken out under the lock: alive until the claim (invariant 7).
            if let Claim::Won(wake) = unsafe { Node::claim(node) } {
                let rest = if waiting.queue.is_empty() { 0 } else { QUEUED };
                self.state.store(rest | woken | there | WRITER, Release);
                break wake;
            }
        };
        drop(waiting);
        drop(wake);
    }

    /// With one reader's lock ours, which it gives up: lets all readers at the front in.
    fn share(&self, mut waiting: ShortGuard<'_, Waiting>) {
        let wakes = waiting.queue.claim_while(
            |turn| {
                if turn.reads {
                    self.state.fetch_add(ONE, Relaxed);
                }
                turn.reads
            },
            |_| {
                self.state.fetch_sub(ONE, Relaxed);
            },
        );
        if waiting.queue.is_empty() {
            self.state.fetch_and(!QUEUED, Relaxed);
        }
        drop(waiting);
        drop(wakes);
        if self.leave() {
            self.rouse(self.waiting.lock());
        }
    }

    /// Sees to it that whoever is first in the queue goes on, if the lock's state lets it. Else its holder will.
    #[cold]
    fn rouse(&self, mut waiting: ShortGuard<'_, Waiting>) {
        let wake = loop {
            let seen = self.state.load(Relaxed);
            let Some(turn) = waiting.queue.front() else {
                self.state.fetch_and(!QUEUED, Relaxed);
                return;
            };
            if seen & WRITER != 0 || (!turn.reads && seen & REST != 0) {
                return;
            }
            // To let others in, one must be in oneself.
            let (reads, hand_over) = (turn.reads, turn.impatient.get());
            if reads || hand_over {
                let ours = if reads { seen + ONE } else { seen | WRITER };
                match self.state.compare_exchange(seen, ours, Acquire, Relaxed) {
                    Ok(_) if reads => return self.share(waiting),
                    Ok(_) => return self.unlock_write_slow(waiting),
                    Err(_) => continue,
                }
            }
            if seen & WOKEN != 0 && waiting.skipped < SKIPS {
                waiting.skipped += 1;
                return;
            }
            waiting.skipped = 0;
            let node = waiting.queue.pop().expect("there is a first one");
            let queued = if waiting.queue.is_empty() { QUEUED } else { 0 };
            // The thread may clear WOKEN as soon as it is claimed.
            self.state.fetch_or(WOKEN, Relaxed);
            self.state.fetch_and(!queued, Relaxed);
            // SAFETY: just taken out under the lock: alive until the claim (invariant 7).
            match unsafe { Node::claim(node) } {
                Claim::Won(wake) => break wake,
                Claim::Lost => self.state.fetch_and(!WOKEN, Relaxed),
            };
        };
        drop(waiting);
        drop(wake);
    }
}
