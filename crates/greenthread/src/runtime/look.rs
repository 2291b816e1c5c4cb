//! When a worker looks around, and what it looks at: what has come from other OS threads, its timers, its driver.
//!
//! Usually every 100 microseconds or so, which are counted in switches. Where threads run for longer than that, after
//! each of them; and then whoever has been woken from outside goes first, before those who compute.
//!
//! Invariants: those of `worker`.

use core::{ptr::NonNull, sync::atomic::Ordering::Relaxed};
use std::time::Duration;

use greenthread_context::valgrind;

use super::worker::Worker;
use crate::{
    driver::Driver,
    task::wait::{Outcome, Waiter},
};

/// How many of the injector's threads are started after each look around, newer ones of its own or not.
const INJECTED: u32 = 3;
/// The oldest of its own is started when it has been the oldest for so many nanoseconds. Not sooner: of a tree of threads,
/// which newest first is run with few stacks, it is another large branch.
const OLD: u64 = 4_000_000;
/// How long a worker goes on without looking around, in nanoseconds.
const LOOK: u64 = 100_000;
/// To run for so many nanoseconds without a switch is long. Two of that kind, with no more than this in between, are no
/// accident: threads compute here, and will for as long again.
const LONG: u64 = 100_000;
const BETWEEN: u64 = 10_000_000;
/// When the worker looked around last, and after how many switches it will again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    at: u64,
    polled: u64,
    /// When a thread has last run for long, and how long others are expected to.
    long: Option<u64>,
    computing: u64,
    /// Where the oldest thread in the queue lies, and since when that has been the oldest.
    first: usize,
    aged: u64,
    switches: u32,
    after: u32,
}

/// From how many nanoseconds on a stretch without a switch is long.
fn long_from() -> u64 {
    if valgrind::is_running() { 50 * LONG } else { LONG }
}

impl Worker {
    /// Has the driver hand over what it held back. How long that takes is no measure of how long threads run.
    pub(super) fn flush(&self) {
        if !self.driver.is_holding() {
            return self.driver.flush();
        }
        let begin = self.local.clock.now();
        self.driver.flush();
        let look = self.look.get();
        let took = self.local.clock.now().saturating_sub(begin);
        self.look.set(Look { at: look.at + took, ..look });
    }

    /// How many switches a round for so many ready threads has: the worker looks around after it, if that is due.
    pub(super) fn round(&self, ready: u32) -> u32 {
        let most = if self.local.brisk.get() { self.brisk_round().min(256) } else { 1 };
        ready.min(most)
    }

    /// After how many switches the next look around is due, going by the last ones.
    pub(super) fn brisk_round(&self) -> u32 {
        self.look.get().after.max(1)
    }

    /// Whether it is time to look around.
    pub(super) fn is_due(&self) -> bool {
        let look = self.look.get();
        let made = self.local.switches.load(Relaxed).wrapping_sub(look.switches);
        made >= if self.local.brisk.get() { look.after } else { 1 }
    }

    /// Looks at everything that may have come from elsewhere.
    pub(super) fn look_around(&self) {
        let last = self.look.get();
        let now = self.local.clock.now();
        let switches = self.local.switches.load(Relaxed);
        let made = u64::from(switches.wrapping_sub(last.switches)).max(1);
        let took = now.saturating_sub(last.at).max(1);
        // Where threads compute there is a look after each of them.
        let each = if self.local.brisk.get() { took / made } else { took };
        let (mut long, mut computing) = (last.long, last.computing);
        if each >= long_from() {
            if long.is_some_and(|long| last.at.saturating_sub(long) < BETWEEN) {
                computing = now + BETWEEN;
            }
            long = Some(now);
        }
        let brisk = now >= computing;
        // Starts take as long as a hundred switches, or as one: so it grows by steps.
        let after = ((made * LOOK / took).clamp(1, 512) as u32).min(2 * last.after.max(1));
        let head = self.local.ready.head();
        let passed = (head.wrapping_sub(self.ahead.get()) as i32) > 0;
        let fair = brisk || passed || self.local.ready.len() == 0;
        if fair {
            self.ahead.set(head.wrapping_sub(1));
        }
        let poll = fair && now.saturating_sub(last.polled) >= LOOK / 2;
        let polled = if poll { now } else { last.polled };
        self.settle(now, false);
        let tidy = self.is_untidy() && self.is_tidying_due(now);
        let first = self.seat.queue.first();
        let aged = if first == last.first { last.aged } else { now };
        let old = now.saturating_sub(aged) >= OLD;
        let aged = if old { now } else { aged };
        self.look.set(Look { at: now, polled, long, computing, first, aged, switches, after });
        if tidy {
            self.note_tidied(now);
            self.tidy(true);
        }
        self.turns.set(INJECTED);
        self.old.set(old);
        self.local.brisk.set(brisk);
        self.expire(now);
        let ready = self.local.ready.len();
        self.read_inbox();
        if poll {
            self.poll(Some(Duration::ZERO));
        }
        if fair && !brisk {
            self.let_ahead(self.local.ready.len() - ready);
        }
        let budget = &self.local.budget;
        budget.set(self.round(budget.get()));
        if tidy || poll {
            self.look.set(Look { at: self.local.clock.now(), ..self.look.get() });
        }
    }

    /// After a sleep, in which it has looked at everything.
    pub(super) fn has_looked(&self, now: u64) {
        let switches = self.local.switches.load(Relaxed);
        self.look.set(Look { at: now, polled: now, switches, ..self.look.get() });
    }

    /// Who has just been woken from outside has waited while somebody ran for long, and does not wait for the others of that
    /// kind as well: these newest of the ready go first. There are no more of them before the first of the others has had
    /// its turn.
    fn let_ahead(&self, count: u32) {
        if count > 0 {
            self.ahead.set(self.local.ready.head());
            // SAFETY: ours (invariant 2), and home runs: every place is filled.
            unsafe { self.local.ready.prefer(count) };
        }
    }

    pub(super) fn read_inbox(&self) {
        if self.local.remote.inbox.is_empty() {
            return;
        }
        for task in self.local.remote.inbox.take() {
            // SAFETY: what is in the inbox is alive, and given to us.
            let task = unsafe { &*task };
            if task.home.get().is_null() {
                self.local.remote.taken();
                self.queue_up(NonNull::from(task));
            } else {
                // SAFETY: a thread of ours, woken by a claim: suspended and in no list.
                unsafe { self.local.push(task) };
            }
        }
    }

    pub(super) fn expire(&self, now: u64) {
        // SAFETY: ours (invariant 2), and no other reference lives: home runs. Firing a timer only pushes to the ring.
        let timers = unsafe { &mut *self.local.timers.get() };
        let next = timers.next_deadline();
        if next.is_none_or(|deadline| deadline > now) {
            return self.local.note_deadline(next);
        }
        timers.expire(now, |waiter| {
            // SAFETY: alive: its thread is suspended, and takes the timer out before it goes on.
            unsafe { drop(Waiter::claim(waiter, Outcome::TimedOut)) };
        });
        self.local.note_deadline(timers.next_deadline());
    }

    pub(super) fn poll(&self, timeout: Option<Duration>) {
        self.driver.sleep(timeout);
    }
}
