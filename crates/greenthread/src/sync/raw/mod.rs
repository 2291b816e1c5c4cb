//! The locks themselves, without a value and without poisoning: state machines over a queue of waiters.
//!
//! The model checker takes these files as they stand (`crates/models`), so what they use comes from this module, and their
//! constructors, which are `const` here, are in `lock_guard`.

pub(crate) mod condvar;
pub(crate) mod fairness;
pub(crate) mod lock_guard;
pub(crate) mod mutex;
pub(crate) mod once;
pub(crate) mod rwlock;
pub(crate) mod semaphore;
pub(crate) mod spin;

use super::atomic;
use crate::task::wait_queue;
