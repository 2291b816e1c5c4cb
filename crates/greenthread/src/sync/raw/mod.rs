//! The raw locks: each is a state machine over a queue of waiting threads. A raw lock guards no
//! value and is never poisoned; the public types add both.
//!
//! The model checker compiles these files unchanged (`crates/models`), against stand-ins for the
//! atomics, for the spin lock (which has models of its own) and for `fairness`. So these files
//! import what they use from this module. They use `const_fn!` because the model checker's atomics
//! can't be made in a `const fn`.

pub(crate) mod condvar;
pub(crate) mod fairness;
pub(crate) mod lock_guard;
pub(crate) mod mutex;
pub(crate) mod once;
pub(crate) mod rwlock;
pub(crate) mod semaphore;
pub(crate) mod spin;

/// Defines a `const fn` here. In the models the same macro defines a plain `fn`.
macro_rules! const_fn {
    ($($function:tt)*) => { $($function)* };
}

use super::atomic;
use crate::task::wait_queue;
use const_fn;
