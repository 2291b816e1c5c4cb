//! `channel`: what crossbeam's and Go's channels do, on green threads, OS threads and both.

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
