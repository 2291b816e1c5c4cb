//! A green thread: its record, its states, and the one way to wait.
//!
//! From the bottom up:
//!
//! * `state`, `inbox`, `sleep_flag`, `deque`, `depot`, `cycle`, `notes`: the protocols between OS
//!   threads. Each is a state machine by itself. The model checker runs the very same file
//!   (`crates/models`).
//! * `waiter`, `scope_count`, `locals`, `id`, `block`: the data of a thread: one wait, the scope
//!   that it belongs to, its thread-locals, its number, and the record that a handle points to.
//! * `run_queue`, `pinned_queue`, `timers`, `block_pool`, `random`, `clock`, `panic_count`: the
//!   parts of a worker that its threads touch.
//! * `worker_handle`: a worker as others see it. `worker_core`: a worker as its own threads see it.
//! * `time`: what time it is for the calling thread.
//! * `cancel_node`, `tree_lock`: a cancellation scope. `cancel`: whether a thread is cancelled, and
//!   how it learns of it. `entered`: how it enters a scope and leaves it.
//! * `wait`, `wait_queue`, `scope`: how a thread waits and is woken: alone, in a queue, for a
//!   scope. `awaiter`: how a future waits. `coop`: when a thread that never waits yields.
//! * `job`: a thread with its closure and its result. `join_future`: awaiting its end. `own_tls`: a
//!   closure with thread-locals of its own.

use core::{cell, hint, sync::atomic};
use std::sync::Mutex;

pub(crate) mod awaiter;
pub(crate) mod block;
pub(crate) mod block_pool;
pub(crate) mod cancel;
pub(crate) mod cancel_node;
pub(crate) mod clock;
pub(crate) mod coop;
mod cycle;
mod depot;
pub(crate) mod deque;
pub(crate) mod entered;
pub(crate) mod id;
pub(crate) mod inbox;
pub(crate) mod job;
pub(crate) mod join_future;
pub(crate) mod locals;
mod notes;
pub(crate) mod own_tls;
pub(crate) mod panic_count;
pub(crate) mod pinned_queue;
pub(crate) mod random;
mod run_queue;
pub(crate) mod scope;
pub(crate) mod scope_count;
pub(crate) mod sleep_flag;
mod state;
pub(crate) mod time;
pub(crate) mod timers;
mod tree_lock;
pub(crate) mod wait;
pub(crate) mod wait_queue;
mod waiter;
pub(crate) mod worker_core;
pub(crate) mod worker_handle;
