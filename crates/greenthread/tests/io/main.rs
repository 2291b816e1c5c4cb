//! Pipes and standard streams park the thread that waits for them, and are what std's are.

#[path = "../common/mod.rs"]
mod common;
mod pipes;
mod streams;
mod stress;
mod uring;
