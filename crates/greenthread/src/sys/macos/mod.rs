//! The port to macOS. The module `sys` says what each of these modules must offer.
//!
//! This port has been type-checked and linked, but not run. Each claim about the system names its
//! source: a page of the manual, or a file of XNU, the kernel (`xnu-11417.101.15`; facts that older
//! kernels do not share say so).

pub(super) use super::unix::{descriptors, error, fd, socket_options};

pub(super) mod file;
pub(super) mod heap;
#[path = "../no_interrupt.rs"]
pub(super) mod interrupt;
pub(super) mod io;
#[path = "../no_lookup.rs"]
pub(super) mod lookup;
pub(super) mod memory;
pub(super) mod poller;
pub(super) mod process;
pub(super) mod quirks;
pub(super) mod signal;
pub(super) mod socket;
pub(super) mod stderr;
pub(super) mod thread;
#[path = "../no_tls.rs"]
pub(super) mod tls;
#[path = "../no_uring.rs"]
pub(super) mod uring;
