//! The library's spin locks, which have models of their own. The models of everything else have
//! stand-ins for them.

use crate::{
    locks::{fairness, hint},
    spin::atomic,
};

#[path = "../../../greenthread/src/sync/raw/spin.rs"]
pub(crate) mod spin;
#[path = "../../../greenthread/src/task/tree_lock.rs"]
pub(crate) mod tree_lock;

/// The library's constructors are `const`, which loom's atomics can't be made in.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => { $(#[$meta])* $vis fn $($rest)* };
}

pub(crate) use const_fn;
