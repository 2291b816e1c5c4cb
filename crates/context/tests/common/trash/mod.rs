//! Assembly that sets the registers that a call may change and those that it must preserve,
//! switches, and then checks those that a call must preserve. And the rounding mode, which a switch
//! leaves alone.

use super::Here;

#[cfg_attr(all(target_arch = "x86_64", not(windows)), path = "x86_64.rs")]
#[cfg_attr(all(target_arch = "x86_64", windows), path = "x86_64_windows.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "x86", path = "x86.rs")]
#[cfg_attr(target_arch = "arm", path = "arm.rs")]
#[cfg_attr(target_arch = "loongarch64", path = "loongarch64.rs")]
#[cfg_attr(target_arch = "s390x", path = "s390x.rs")]
#[cfg_attr(target_arch = "powerpc64", path = "powerpc64.rs")]
mod machine;

#[cfg(all(target_arch = "x86_64", windows))]
#[allow(unused_imports)]
pub(crate) use machine::zero;
#[allow(unused_imports)] // only one test file uses it
pub(crate) use machine::{TOWARD_ZERO, rounding, set_rounding, trash_and_suspend};

/// The function that the machine's assembly calls.
extern "C" fn suspend(here: &Here) {
    here.suspend(0);
}
