//! What Unix has: [`std::os::unix`], for green threads.

pub mod fs;
