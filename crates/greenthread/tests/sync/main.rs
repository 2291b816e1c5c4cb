//! `sync`: what std's locks and channels do, on green threads, OS threads and both.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "some tests are for Unix"))]

#[path = "../common/mod.rs"]
mod common;
mod condvar;
mod guards;
#[cfg(feature = "lock_api")]
mod lock_api;
mod mpmc;
mod mpsc;
mod mpsc_ends;
mod mpsc_stress;
mod mutex;
mod once;
mod rwlock;
mod semaphore;
mod small;
mod stress;
