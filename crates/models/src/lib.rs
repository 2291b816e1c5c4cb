//! The protocols between OS threads, run through every interleaving that the memory model allows.
//!
//! `library` takes the library's own files as they stand: each is a state machine that gets its atomics
//! from its parent module, which there is `std`'s and here is [loom]'s, by way of `atomic`. What a model
//! adds is what surrounds the state machine: threads, something to hand over, and a driver to sleep in.
//!
//! A check that can't fail proves nothing. So `atomic` can be told to have a bug (a fence that does
//! nothing, an exchange in two steps), the models can take their steps in a wrong order, and for each such
//! bug there is a test that the checker finds it.
//!
//! The checker's limits: it treats sequentially consistent accesses as acquire and release (fences it
//! treats right, and the library uses fences), a weak exchange never fails without reason, and where a
//! model says so, the number of preemptions is bounded. Of the accesses before a store it reorders only the last one, which
//! a load of the same thread may be; `atomic` makes up for that.
//!
//! [loom]: https://docs.rs/loom

#![cfg(test)]

mod atomic;
mod channel;
mod condvar;
mod cycle;
mod depot;
mod deque;
mod harness;
mod idle;
mod inbox;
mod library;
mod locks;
mod mutex;
mod once;
mod pool;
mod rwlock;
mod select;
mod semaphore;
mod sleep_flag;
mod spin;
mod state;
mod task;
