//! The locks themselves, without a value and without poisoning: state machines over a queue of
//! waiters.
//!
//! The model checker takes these files as they stand (`crates/models`), so what they use comes from
//! this module. That includes `const_fn!`: atomics that a model checker watches can't be made in a
//! `const fn`.

pub(crate) mod condvar;
pub(crate) mod fairness;
pub(crate) mod lock_guard;
pub(crate) mod mutex;
pub(crate) mod once;
pub(crate) mod rwlock;
pub(crate) mod semaphore;
pub(crate) mod spin;

/// A `const fn`, here; in the models a plain one.
macro_rules! const_fn {
    ($($function:tt)*) => { $($function)* };
}

use super::atomic;
use crate::task::wait_queue;
use const_fn;
