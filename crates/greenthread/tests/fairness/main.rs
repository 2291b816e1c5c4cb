//! Which thread's turn it is.
//!
//! This is a test program of its own, since other tests would take the processors that these tests
//! measure.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "some tests are for Unix"))]

#[path = "../common/mod.rs"]
mod common;
mod coop;
mod cpu_bound;
