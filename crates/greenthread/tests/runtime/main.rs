//! Runtimes: their life, pools, clock and reports.

mod blocking;
#[path = "../common/mod.rs"]
mod common;
mod lifecycle;
mod reports;
mod starved;
mod stress;
mod time;
mod watchdog;
