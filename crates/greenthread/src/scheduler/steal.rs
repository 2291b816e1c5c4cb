//! How a worker that has nothing to run looks for unstarted threads that other workers have.

use core::{cell::Cell, hint::spin_loop, ptr::NonNull};

use super::{
    policy::{INJECTOR_BATCH, MAX_STOLEN, SEARCH_POLL_ROUND, max_searchers, much_fuller},
    shared::Shared,
    spin_budget::SpinBudget,
};
use crate::task::{
    block::Task,
    deque::Stolen,
    worker_core::{SPIN_BUDGET, WorkerCore},
};

/// One worker's searches.
#[derive(Debug)]
pub(super) struct Searcher {
    /// The worker's number.
    index: usize,
    /// Whether it counts among the searchers.
    pub(super) is_searching: Cell<bool>,
    /// The number of rounds of a search.
    pub(super) rounds: SpinBudget,
    /// For each worker, the position of the last lone thread that it has seen in its deque.
    seen: Box<[Cell<usize>]>,
}

impl Searcher {
    pub(super) fn new(index: usize, workers: usize) -> Self {
        Self {
            index,
            is_searching: Cell::new(false),
            rounds: SpinBudget::new(),
            seen: (0..workers).map(|_| Cell::new(usize::MAX)).collect(),
        }
    }

    /// Becomes a searcher, unless it is one already or there are enough of them. Returns whether it
    /// is one now.
    pub(super) fn begin(&self, shared: &Shared) -> bool {
        let is_searching = self.is_searching.get() || shared.idle.begin(max_searchers(shared.workers.len()));
        self.is_searching.set(is_searching);
        is_searching
    }

    /// Looks for an unstarted thread that others have, for the worker whose core this is. `poll`
    /// asks the driver. The search ends early when the inbox or the run queue has something.
    pub(super) fn search(
        &self,
        shared: &Shared,
        core: &WorkerCore,
        poll: impl Fn(),
    ) -> Option<NonNull<Task>> {
        // If there are enough searchers already, the worker takes nothing from others, and only
        // waits for its inbox.
        let steals = self.begin(shared);
        let rounds = self.rounds.begin();
        for round in 0..rounds {
            if steals
                // SAFETY: it is this worker's own handle.
                && let Some(task) = unsafe { shared.take_injected(&core.handle, INJECTOR_BATCH) }
            {
                return Some(task);
            }
            let found = self.look_at_all(shared, core, steals, round + 1 == rounds);
            if let Look::Stolen(task) = found {
                return Some(task);
            }
            // If all siblings sleep, only an OS thread or the driver can bring something, so it is
            // no use to stay awake.
            if !core.handle.inbox.is_empty() {
                self.rounds.paid_off();
                core.spin_budget.set(SPIN_BUDGET);
                break;
            }
            if matches!(found, Look::AllAsleep) {
                break;
            }
            if round == SEARCH_POLL_ROUND {
                poll();
                if core.ready.len() != 0 {
                    break;
                }
            }
            (0..8).for_each(|_| spin_loop());
            if round + 1 == rounds {
                self.rounds.in_vain();
            }
        }
        None
    }

    /// Looks at each sibling's deque, from a random one on, and takes something if it `steals`.
    fn look_at_all(&self, shared: &Shared, core: &WorkerCore, steals: bool, is_last: bool) -> Look {
        let workers = &shared.workers;
        let mut is_anyone_awake = false;
        let first = core.random.below(workers.len());
        for victim in (first..workers.len()).chain(0..first).filter(|victim| *victim != self.index) {
            let deque = &workers[victim].deque;
            is_anyone_awake |= !workers[victim].sleep.is_asleep();
            // A full worker does not steal from a much emptier one, except in the last round of a
            // search, for threads that have lain there for long.
            let mine = core.started.get();
            let leaves = much_fuller(mine, 0) && much_fuller(mine, workers[victim].load()) && !is_last;
            // The spawner of a lone thread that has just come is likely to join it, and run it
            // inline.
            let oldest = deque.first();
            let is_new = deque.len() == 1 && self.seen[victim].replace(oldest) != oldest;
            if !steals || leaves || is_new {
                continue;
            }
            match deque.steal() {
                Stolen::Item(task) => {
                    // Half of the rest goes into the own deque, which is empty.
                    for _ in 0..(deque.len() / 2).min(MAX_STOLEN) {
                        let Stolen::Item(task) = deque.steal() else { break };
                        // SAFETY: it is this worker's own handle. The thread was stolen, so this
                        // worker owns it.
                        unsafe { shared.queue(&core.handle, task) };
                    }
                    return Look::Stolen(task);
                }
                Stolen::Again => is_anyone_awake = true,
                Stolen::Nothing => {}
            }
        }
        if is_anyone_awake { Look::Nothing } else { Look::AllAsleep }
    }
}

/// The result of a look at all siblings.
enum Look {
    Stolen(NonNull<Task>),
    /// Some are awake, and may queue something soon.
    Nothing,
    AllAsleep,
}
