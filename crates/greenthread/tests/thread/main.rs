//! `thread`: what std's threads and thread-locals do.

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
