//! What Linux has: [`std::os::linux`], for green threads.

pub mod fs;
pub mod net;
