//! Programs as they are written with threads, on crates that know nothing of ours: a TLS server and
//! client (rustls), a chat over WebSockets (tungstenite), a server that speaks Redis's protocol,
//! and an HTTP server with a client (ureq).
//!
//! Each is one file, compiled twice: in [`on_std`] its `use super::lib` means `use std`, and in
//! [`on_greenthread`] it means `use greenthread`. Nothing else differs. Each has a function `check`
//! that runs the whole program with several clients and asserts their results. The tests run it on
//! both. `hostile` has clients that err or mean harm, and the answer of each server.

#![allow(clippy::duplicate_mod, reason = "the same programs, on two kinds of threads")]

pub mod on_greenthread;
pub mod on_std;

/// An error of a program.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
/// A program's result.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;
