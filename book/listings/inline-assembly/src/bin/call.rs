//! Calls a function by hand, as the compiler would.

use std::arch::asm;

fn main() {
    let kept = 42;
    println!("thrice 14 is {}", call_thrice(14));
    println!("and main still knows its {kept}");
}

/// "sysv64" is "C" as Linux and macOS mean it; so this runs under Windows too.
#[cfg(target_arch = "x86_64")]
extern "sysv64" fn thrice(number: u64) -> u64 {
    3 * number
}

#[cfg(target_arch = "x86_64")]
fn call_thrice(number: u64) -> u64 {
    let result;
    // SAFETY: Calls a function by its rules: argument in rdi, result in rax, some registers lost.
    unsafe {
        asm!(
            "call {function}",
            function = sym thrice,
            in("rdi") number,
            lateout("rax") result,
            clobber_abi("sysv64"),
        );
    }
    result
}

#[cfg(target_arch = "aarch64")]
extern "C" fn thrice(number: u64) -> u64 {
    3 * number
}

#[cfg(target_arch = "aarch64")]
fn call_thrice(number: u64) -> u64 {
    let result;
    // SAFETY: Calls a function by its rules: argument and result in x0, some registers lost.
    unsafe {
        asm!(
            "bl {function}",
            function = sym thrice,
            inlateout("x0") number => result,
            clobber_abi("C"),
        );
    }
    result
}
