//! `greenthread::net` and `greenthread::os::unix::net` behave as std's modules do, on green
//! threads, on OS threads, and between the two.
//!
//! Loopback only, ports given by the system. `common::sockets` runs each test with its threads of
//! either kind.

mod clones;
#[path = "../common/mod.rs"]
mod common;
mod crowds;
mod descriptors;
mod endings;
mod load;
mod options;
mod sockref;
mod streams;
mod udp;
mod unix;
mod workers;
