//! `fs` behaves as `std::fs`, with a ring (io_uring) and without.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "some tests are for Unix"))]

#[cfg(target_os = "linux")]
mod cached;
#[path = "../common/mod.rs"]
mod common;
mod files;
#[cfg(target_os = "linux")]
mod kinds;
mod names;
#[cfg(target_os = "linux")]
mod uring;
