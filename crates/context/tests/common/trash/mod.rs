//! Sets every register that a call may change, and those that it may not, and switches in the midst of it. Those that it may
//! not change are looked at afterwards.

use super::Here;

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "x86", path = "x86.rs")]
mod machine;

#[allow(unused_imports)] // by one test file
pub(crate) use machine::trash_and_suspend;

/// What the machine's assembly calls.
extern "C" fn suspend(here: &Here) {
    here.suspend(0);
}
