//! `channel`: what crossbeam's and Go's channels do, on green threads, OS threads and both.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "some tests are for Unix"))]

#[path = "../common/mod.rs"]
mod common;
mod core;
mod go;
mod powser;
mod select;
mod select_macro;
mod select_syntax;
mod stress;
mod timers;
