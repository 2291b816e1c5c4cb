//! Processes and what belongs to a process: children, forks, signals, limits.

mod commands;
#[path = "../common/mod.rs"]
mod common;
mod fork;
mod limits;
mod signals;
