//! What only some systems have: [`std::os`], for green threads.

pub mod linux;
pub mod unix;
