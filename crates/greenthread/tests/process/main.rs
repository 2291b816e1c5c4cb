//! Processes and what belongs to a process: children, forks, signals, limits.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "some tests are for Unix"))]

mod commands;
#[path = "../common/mod.rs"]
mod common;
#[cfg(unix)]
mod fork;
#[cfg(unix)]
mod limits;
#[cfg(windows)]
mod on_windows;
#[cfg(unix)]
mod signals;
