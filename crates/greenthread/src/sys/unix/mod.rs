//! What the ports to Unix systems share. A port re-exports what it uses of this, and has files of
//! its own for the rest.
//!
//! Where the code here needs to know something about its system, it asks the port's file `quirks`,
//! which depends on nothing else of the library.

pub(super) mod alarm;
pub(super) mod descriptors;
pub(super) mod error;
pub(super) mod fd;
pub(super) mod file;
pub(super) mod io;
pub(super) mod limit;
pub(super) mod memory;
pub(super) mod process;
pub(super) mod signal;
pub(super) mod socket;
pub(super) mod socket_options;
pub(super) mod stderr;
pub(super) mod thread;
