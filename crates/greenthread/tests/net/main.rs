//! `greenthread::net` and `greenthread::os::unix::net` behave as std's modules do, on green
//! threads, on OS threads, and between the two.
//!
//! Loopback only, ports given by the system. `common::sockets` runs each test with its threads of
//! either kind.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "some tests are for Unix"))]

mod clones;
#[path = "../common/mod.rs"]
mod common;
mod crowds;
#[cfg(unix)]
mod descriptors;
mod endings;
mod load;
mod modes;
mod options;
#[cfg(unix)]
mod sockref;
mod streams;
mod udp;
#[cfg(unix)]
mod unix;
mod workers;
