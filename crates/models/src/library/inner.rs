//! The library's spin lock, which has a model of its own. The models of the other locks have a
//! stand-in for it.

use crate::{locks::fairness, spin::atomic};

#[path = "../../../greenthread/src/sync/raw/spin.rs"]
pub(crate) mod spin;

/// The library's constructors are `const`, which loom's atomics can't be made in.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => { $(#[$meta])* $vis fn $($rest)* };
}

pub(crate) use const_fn;
