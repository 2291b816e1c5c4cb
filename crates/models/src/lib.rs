//! The protocols between OS threads, run through every interleaving that the memory model allows.
//!
//! `library` takes the library's own files as they stand. Each is a state machine that gets its
//! atomics from its parent module: `std`'s in the library, [loom]'s here, by way of `atomic`. A
//! model adds the surroundings of the state machine: threads, something to hand over, and a driver
//! to sleep in.
//!
//! A check that can't fail proves nothing. So `atomic` can be told to have a bug (a fence that does
//! nothing, an exchange in two steps), and the models can take their steps in a wrong order. For
//! each such bug a test checks that it is found.
//!
//! The checker's limits. It treats sequentially consistent accesses as acquire and release; it
//! treats fences right, and the library uses fences. A weak exchange never fails spuriously. Where
//! a model says so, the number of preemptions is bounded. Of the accesses before a store the
//! checker reorders only the last one, which may be a load of the same thread; `atomic` makes up
//! for that.
//!
//! [loom]: https://docs.rs/loom

#![cfg(test)]

mod atomic;
mod awaiter;
mod cancel;
mod channel;
mod condvar;
mod cycle;
mod depot;
mod deque;
mod harness;
mod idle;
mod inbox;
mod interrupted;
mod join;
mod library;
mod locks;
mod mutex;
mod notes;
mod once;
mod pool;
mod rwlock;
mod select;
mod semaphore;
mod sleep_flag;
mod spin;
mod state;
mod sys;
mod task;
