//! How a worker that has nothing of its own looks for unstarted threads that others have, and how long.
//!
//! All of it is the worker's, on its home context (`worker`, invariants 2 and 3).

use core::{hint::spin_loop, ptr::NonNull};
use std::time::Duration;

use super::{
    deque::Stolen,
    placement::{FULL, much_fuller},
    shared::Queue,
    worker::{BATCH, Worker},
};
use crate::task::{block::Task, local};

/// How many are stolen at once, at most.
const LOOT: usize = 16;

impl Worker {
    /// Takes half of what else is there, into its own empty queue.
    fn loot(&self, queue: &Queue) {
        for _ in 0..(queue.len() / 2).min(LOOT) {
            let Stolen::Item(task) = queue.steal() else { return };
            self.queue_up(task);
        }
    }

    /// Whether it may search: not everybody does.
    pub(super) fn begin_search(&self) -> bool {
        self.shared.idle.begin(self.shared.seats.len().div_ceil(2))
    }

    /// Looks for unstarted threads that others have.
    pub(super) fn search(&self) -> Option<NonNull<Task>> {
        let seats = &self.shared.seats;
        // With enough searchers there already, it only waits for its inbox for a while.
        let steals = self.searching.get() || self.begin_search();
        self.searching.set(steals);
        let rounds = self.awake.begin();
        let mut awake = false;
        for round in 0..rounds {
            if steals && let Some(task) = self.injected(BATCH) {
                return Some(task);
            }
            let turn = self.turn.get().wrapping_mul(0x9E37_79B1).wrapping_add(1);
            self.turn.set(turn);
            for offset in 0..seats.len() {
                let victim = (turn as usize % seats.len() + offset) % seats.len();
                if victim == self.index {
                    continue;
                }
                let seat = &seats[victim];
                awake |= !seat.remote.sleep.is_asleep();
                // A full worker leaves a much emptier one its own; but takes them when they lie there for long.
                let mine = self.started.get();
                let polite = mine > FULL && much_fuller(mine, seat.remote.load()) && round + 1 < rounds;
                // A lone one that has just come is likely to be wanted by who spawned it.
                let lone = seat.queue.len() == 1;
                let first = seat.queue.first();
                let new = lone && self.seen[victim].replace(first) != first;
                if !steals || polite || new {
                    continue;
                }
                match seat.queue.steal() {
                    Stolen::Item(task) => {
                        self.loot(&seat.queue);
                        return Some(task);
                    }
                    Stolen::Again => awake = true,
                    Stolen::Nothing => {}
                }
            }
            // With everybody else asleep, only an OS thread or the driver can bring something: no use in waiting awake.
            if !self.local.remote.inbox.is_empty() {
                self.awake.paid_off();
                self.local.patience.set(local::PATIENCE);
                break;
            }
            if !awake {
                break;
            }
            // A message from a sibling comes sooner than the driver could be asked.
            if round == 8 {
                self.poll(Some(Duration::ZERO));
                if self.local.ready.len() != 0 {
                    break;
                }
            }
            (0..8).for_each(|_| spin_loop());
            if round + 1 == rounds {
                self.awake.in_vain();
            }
        }
        self.read_inbox();
        None
    }
}
