//! The port to Linux. The module `sys` says what each of these modules must offer.

pub(super) use super::unix::{descriptors, fd};

pub(super) mod error;
pub(super) mod file;
pub(super) mod heap;
#[path = "../no_interrupt.rs"]
pub(super) mod interrupt;
pub(super) mod io;
pub(super) mod lookup;
pub(super) mod memory;
pub(super) mod poller;
pub(super) mod process;
pub(super) mod quirks;
pub(super) mod signal;
pub(super) mod socket;
pub(super) mod socket_options;
pub(super) mod stderr;
pub(super) mod thread;
#[cfg_attr(
    not(all(
        target_env = "gnu",
        any(target_arch = "x86_64", target_arch = "aarch64"),
        not(greenthread_asan),
        not(greenthread_tsan)
    )),
    path = "../no_tls.rs"
)]
pub(super) mod tls;
// The crate `io-uring` has bindings for these processors only; `Cargo.toml` names them as well.
#[cfg_attr(
    not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "loongarch64",
        target_arch = "powerpc64"
    )),
    path = "../no_uring.rs"
)]
pub(super) mod uring;
