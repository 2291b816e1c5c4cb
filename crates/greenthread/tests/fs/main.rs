//! `fs` behaves as `std::fs`, with a ring (io_uring) and without.

mod cached;
#[path = "../common/mod.rs"]
mod common;
mod files;
mod kinds;
mod names;
mod uring;
