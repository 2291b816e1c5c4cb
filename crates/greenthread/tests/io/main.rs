//! Pipes and standard streams behave as std's. Only the thread that waits for them is parked.

#[path = "../common/mod.rs"]
mod common;
mod pipes;
mod streams;
mod stress;
#[cfg(target_os = "linux")]
mod uring;
