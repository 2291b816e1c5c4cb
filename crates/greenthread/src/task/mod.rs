//! A green thread: its block, its states, and the one way to wait.
//!
//! * `block`, `job`, `scope`, `id`: what a thread handle points at, the work inside, who waits for its end.
//! * `state`, `inbox`, `sleep`, `cycle`, `depot`: the protocols between OS threads, each a state machine by itself, which
//!   the model checker takes as it stands (`crates/models`).
//! * `wait`, `queue`: how everything that blocks waits and is woken, alone and in line.
//! * `timers`: waits with a deadline.
//! * `locals`: the values of its thread-locals.
//! * `coop`: when a thread that never waits lets others run.
//! * `panic_count`: std's count of panics, moved at a switch.
//! * `ring`, `pool`, `local`, `remote`: a worker as its own threads and as others see it.

use core::sync::atomic;
use std::sync::Mutex;

pub(crate) mod block;
pub(crate) mod coop;
mod cycle;
mod depot;
pub(crate) mod id;
pub(crate) mod inbox;
pub(crate) mod job;
pub(crate) mod local;
pub(crate) mod locals;
pub(crate) mod panic_count;
pub(crate) mod pool;
pub(crate) mod queue;
pub(crate) mod random;
pub(crate) mod remote;
mod ring;
pub(crate) mod scope;
pub(crate) mod sleep;
mod state;
pub(crate) mod timers;
pub(crate) mod wait;
