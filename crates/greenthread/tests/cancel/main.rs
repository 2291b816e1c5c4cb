//! `cancel`: scopes, deadlines, tokens, handles, in every wait, on green threads and OS threads.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "some tests are for Unix"))]
#![allow(clippy::unit_arg, reason = "a thread of a scope returns a result, also of nothing")]

#[path = "../common/mod.rs"]
mod common;
mod coroutines;
mod edges;
mod exam;
mod groups;
mod io;
mod limits;
mod max_threads;
mod points;
mod pool;
mod scopes;
mod shutdown;
mod storm;
mod wounds;
