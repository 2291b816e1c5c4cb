//! Runtimes: their life, pools, clock and reports.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "some tests are for Unix"))]

mod blocking;
#[path = "../common/mod.rs"]
mod common;
mod lifecycle;
mod reports;
mod starved;
mod stress;
mod time;
mod watchdog;
