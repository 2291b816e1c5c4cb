//! Runtimes: their life, their pools, their clock, and what they report.

mod blocking;
#[path = "../common/mod.rs"]
mod common;
mod lifecycle;
mod reports;
mod starved;
mod stress;
mod time;
mod watchdog;
