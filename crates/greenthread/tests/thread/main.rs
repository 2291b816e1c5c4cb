//! `thread`: what std's threads and thread-locals do.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "some tests are for Unix"))]

#[cfg(greenthread_asan)]
mod asan;
#[path = "../common/mod.rs"]
mod common;
mod inline_join;
mod join_cycles;
mod locals;
mod locals_ends;
mod panics;
mod park;
mod scope;
mod spawn;
mod spawn_local;
