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
#[cfg(target_os = "linux")]
#[cfg_attr(greenthread_tsan, allow(dead_code, reason = "ThreadSanitizer looks for races only"))]
mod planted;
mod scope;
mod spawn;
mod spawn_local;
#[cfg(greenthread_tsan)]
mod tsan;
#[cfg(all(target_os = "linux", not(greenthread_asan), not(greenthread_tsan)))]
mod valgrind;
