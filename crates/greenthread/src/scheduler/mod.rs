//! The scheduler: which thread runs next, on which worker, and what a worker does when none is
//! ready.
//!
//! * `policy`: every choice that a worker makes, in the order in which it makes it, with all the
//!   numbers. Begin here.
//! * `worker`: what a worker has, and what its threads ask of it. `worker_loop`: what it does by
//!   itself, on its home context.
//! * `tick`: when a worker ticks, and whether its threads are CPU-bound. `trim`: which memory
//!   grows, and when it is given back.
//! * `start`: how a thread begins on a worker. `inline_join`: how a joiner runs its child.
//!   `starvation`: what happens when there is no stack to be had.
//! * `idle`: which workers search, and which one is woken. `steal`: how a worker searches.
//!   `spin_budget`: for how long. `placement`: where a thread starts. `injector`: the runtime's
//!   common queue.
//! * `shared`: what the workers of one runtime share, and how it ends. `census`: a limit of threads
//!   and a list of them, for runtimes that ask for it.
//! * `watchdog`: names threads that keep their worker. `report`: how the library writes to standard
//!   error.

use core::sync::atomic;

use crate::task::sleep_flag;

pub(crate) mod census;
pub(crate) mod idle;
mod injector;
mod inline_join;
mod placement;
mod policy;
pub(crate) mod registry;
pub(crate) mod report;
pub(crate) mod shared;
mod spin_budget;
mod start;
mod starvation;
mod steal;
mod tick;
mod trim;
pub(crate) mod watchdog;
pub(crate) mod worker;
pub(crate) mod worker_loop;

pub(crate) use inline_join::join;
