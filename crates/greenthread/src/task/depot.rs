//! A stock of lists of free memory that workers exchange: the depot of Bonwick and Adams
//! ("Magazines and Vmem", USENIX 2001). A worker gives a full list to it or takes one from it, so
//! it needs the lock once for a whole list and not for each item.
//!
//! The depot also knows how many of its lists are not needed. The smallest number of lists that it
//! had during an interval is the number that no worker needed: the *surplus*, which `end_interval`
//! sets. `take_surplus` hands these lists out, oldest first, so that their memory can be freed.
//! `take` may still take a list that is in the surplus; the surplus is never larger than the number
//! of lists.
//!
//! Invariants:
//! 1. A list belongs to the depot from `give` to `take` or `take_surplus`, and to one caller before
//!    and after. All three functions hold the lock while the owner changes. So what one owner has
//!    done to the memory happens before what the next owner does.
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
    /// The smallest number of lists since the last `end_interval`.
    least: usize,
    /// How many lists no worker has needed. At most the number of lists.
    surplus: usize,
}

impl<L> Depot<L> {
    pub(crate) fn new() -> Self {
        let lists = Lists { all: VecDeque::new(), least: 0, surplus: 0 };
        Self { lists: Mutex::new(lists), len: AtomicUsize::new(0), surplus: AtomicUsize::new(0) }
    }

    /// Adds a list.
    ///
    /// # Errors
    /// There is no memory to store it. The error is the list.
    pub(crate) fn give(&self, list: L) -> Result<(), L> {
        self.locked(|lists| {
            if lists.all.try_reserve(1).is_err() {
                return Err(list);
            }
            lists.all.push_back(list);
            Ok(())
        })
    }

    /// Hands out the newest list, or `None` if there is none.
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

    /// Ends an interval and begins the next one. What was not needed becomes the surplus.
    pub(crate) fn end_interval(&self) {
        if self.len.load(Relaxed) == 0 {
            return;
        }
        self.locked(|lists| {
            lists.surplus = lists.least;
            lists.least = lists.all.len();
        });
    }

    /// Hands out the oldest list, or `None` if all are needed.
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

    /// Whether there is a surplus. One relaxed load.
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
