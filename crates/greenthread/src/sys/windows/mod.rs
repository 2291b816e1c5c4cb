//! The port to Windows. The module `sys` says what each of these modules must offer.

pub(super) mod descriptors;
pub(super) mod error;
pub(super) mod fd;
pub(super) mod file;
pub(super) mod heap;
pub(super) mod interrupt;
pub(super) mod io;
#[path = "../no_lookup.rs"]
pub(super) mod lookup;
pub(super) mod memory;
pub(super) mod poller;
pub(super) mod process;
pub(super) mod signal;
pub(super) mod socket;
pub(super) mod socket_options;
pub(super) mod stderr;
pub(super) mod thread;
#[path = "../no_tls.rs"]
pub(super) mod tls;
#[path = "../no_uring.rs"]
pub(super) mod uring;
