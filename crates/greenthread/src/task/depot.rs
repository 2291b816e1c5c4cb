//! Lists of free memory on their way from the workers that free it to those that need it: the depot
//! of Bonwick and Adams ("Magazines and Vmem", USENIX 2001). A worker comes here with a full list,
//! or for one, and not for each of its items.
//!
//! The depot also knows how much of it is not needed. `settle` ends an interval: as many lists as
//! there were at least throughout the interval were needed by nobody, and are the *surplus*.
//! `take_surplus` hands them out, oldest first, for their memory to be given back. A list that is
//! needed meanwhile is taken all the same: the surplus is never more than there is.
//!
//! Invariants:
//! 1. A list belongs to the depot from `give` to `take` or `take_surplus`, and to one caller before
//!    and after. All three hold the lock while it changes hands, so what one has done to its memory
//!    happens before what the next one does.
//! 2. `len` and `surplus` are written under the lock. Without it they are hints: a worker that
//!    misses a list makes another one.

use std::{collections::VecDeque, sync::PoisonError};

use super::{
    Mutex,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// See the module.
pub(crate) struct Depot<L> {
    lists: Mutex<Lists<L>>,
    len: AtomicUsize,
    surplus: AtomicUsize,
}

struct Lists<L> {
    /// The newest is the last.
    all: VecDeque<L>,
    /// How many there were at least since `settle`.
    least: usize,
    /// How many nobody needs, at most all.
    surplus: usize,
}

impl<L> Depot<L> {
    pub(crate) fn new() -> Self {
        let lists = Lists { all: VecDeque::new(), least: 0, surplus: 0 };
        Self { lists: Mutex::new(lists), len: AtomicUsize::new(0), surplus: AtomicUsize::new(0) }
    }

    /// Takes a list in.
    ///
    /// # Errors
    /// There is no memory for it: the list.
    pub(crate) fn give(&self, list: L) -> Result<(), L> {
        self.locked(|lists| {
            if lists.all.try_reserve(1).is_err() {
                return Err(list);
            }
            lists.all.push_back(list);
            Ok(())
        })
    }

    /// Hands the newest list out, if there is any.
    pub(crate) fn take(&self) -> Option<L> {
        if self.len.load(Relaxed) == 0 {
            return None;
        }
        self.locked(|lists| {
            let list = lists.all.pop_back();
            lists.least = lists.least.min(lists.all.len());
            lists.surplus = lists.surplus.min(lists.all.len());
            list
        })
    }

    /// Ends an interval, and begins the next.
    pub(crate) fn settle(&self) {
        if self.len.load(Relaxed) == 0 {
            return;
        }
        self.locked(|lists| {
            lists.surplus = lists.least;
            lists.least = lists.all.len();
        });
    }

    /// Hands the oldest list out, if not all are needed.
    pub(crate) fn take_surplus(&self) -> Option<L> {
        if !self.has_surplus() {
            return None;
        }
        self.locked(|lists| {
            lists.surplus = lists.surplus.checked_sub(1)?;
            let list = lists.all.pop_front();
            lists.least = lists.least.min(lists.all.len());
            if lists.surplus == 0 {
                lists.all.shrink_to(2 * lists.all.len());
            }
            list
        })
    }

    /// Whether there are lists that nobody needs. One relaxed load.
    pub(crate) fn has_surplus(&self) -> bool {
        self.surplus.load(Relaxed) != 0
    }

    fn locked<R>(&self, change: impl FnOnce(&mut Lists<L>) -> R) -> R {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut lists);
        self.len.store(lists.all.len(), Relaxed);
        self.surplus.store(lists.surplus, Relaxed);
        result
    }
}

impl<L> std::fmt::Debug for Depot<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Depot").field("len", &self.len).field("surplus", &self.surplus).finish()
    }
}
