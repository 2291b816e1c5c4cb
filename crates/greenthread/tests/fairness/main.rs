//! Whose turn it is.
//!
//! A program of its own: other tests would take the processors that these tests measure.

#[path = "../common/mod.rs"]
mod common;
mod coop;
mod turns;
