//! A harder exercise of chapter 7: a test for switches. Which registers does a function lose?
//!
//! What a register has afterwards is compared with what was put there. The answer to
//! `cargo run -p exercises -- check 7b`.
#![allow(unused_assignments, unused_variables)] // what is put into a register is not read again

use std::arch::asm;

/// The registers that are tried. Every function has to preserve them.
#[cfg(target_arch = "x86_64")]
const NAMES: [&str; 4] = ["r12", "r13", "r14", "r15"];
#[cfg(target_arch = "aarch64")]
const NAMES: [&str; 4] = ["x20", "x21", "x22", "x23"];

fn main() {
    tell("the honest one", honest);
    tell("the forgetful one", forgetful);
    tell("the liar", liar);
}

fn tell(who: &str, function: extern "C" fn()) {
    let lost = lost_by(function);
    let lost: Vec<&str> =
        NAMES.into_iter().zip(lost).filter(|(_, lost)| *lost).map(|(name, _)| name).collect();
    println!("{who} loses {}", if lost.is_empty() { "none".to_owned() } else { lost.join(", ") });
}

/// Uses two of them, and says so: the compiler saves them.
extern "C" fn honest() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: It says what it uses.
    unsafe {
        asm!("mov r12, 1", "mov r14, 2", out("r12") _, out("r14") _);
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: As above.
    unsafe {
        asm!("mov x20, 1", "mov x22, 2", out("x20") _, out("x22") _);
    }
}

/// Uses the last of them, and doesn't say so.
extern "C" fn forgetful() {
    // SAFETY: None: that is what the test is for. `lost_by` expects it.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("mov r15, 1");
        #[cfg(target_arch = "aarch64")]
        asm!("mov x23, 1");
    }
}

/// Says that it uses the first, and uses the second and the third.
extern "C" fn liar() {
    // SAFETY: As for `forgetful`.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("add r13, 1", "mov r14, 0", out("r12") _);
        #[cfg(target_arch = "aarch64")]
        asm!("add x21, x21, 1", "mov x22, 0", out("x20") _);
    }
}

/// Calls the function with numbers in the four registers. Which of them were others afterwards?
fn lost_by(function: extern "C" fn()) -> [bool; 4] {
    const BEFORE: [u64; 4] = [0x1212_1212, 0x1313_1313, 0x1414_1414, 0x1515_1515];
    let [mut a, mut b, mut c, mut d] = BEFORE;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: Whatever the function loses is lost here, too.
    unsafe {
        asm!("call {function}", function = in(reg) function,
            inout("r12") a, inout("r13") b, inout("r14") c, inout("r15") d, clobber_abi("C"));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: As above.
    unsafe {
        asm!("blr {function}", function = in(reg) function,
            inout("x20") a, inout("x21") b, inout("x22") c, inout("x23") d, clobber_abi("C"));
    }
    let after = [a, b, c, d];
    std::array::from_fn(|index| after[index] != BEFORE[index])
}
