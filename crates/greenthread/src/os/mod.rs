//! What only some systems have: [`std::os`], for green threads.

pub use std::os::raw;

pub mod fd;
pub mod linux;
pub mod unix;
