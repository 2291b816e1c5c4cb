//! Pipes and standard streams behave as std's. Only the thread that waits for them is parked.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "some tests are for Unix"))]

#[path = "../common/mod.rs"]
mod common;
mod pipes;
mod streams;
mod stress;
#[cfg(target_os = "linux")]
mod uring;
