//! A harder exercise of chapter 7: a test for switches. Which registers does a function lose?
//!
//! The forgotten register is the worst of the ways to break it: nothing happens, until the compiler
//! one day keeps something there. So it is looked for by a test. Write `lost_by`: put a number into
//! each of four registers, call the function, and look which of them have changed.
//! `call {function}` calls on x86-64, and `blr {function}` on AArch64. With
//! `inout("r12") number => after`, a register has one value before and may have another one
//! afterwards. The registers that a function needn't preserve are lost, and the compiler has to
//! know. Then run `cargo run -p exercises -- check 7b`.
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
    // Your turn. As it stands, it calls the function and looks at nothing.
    #[cfg(target_arch = "x86_64")]
    // SAFETY: Whatever the function loses is lost here, too.
    unsafe {
        asm!("call {function}", function = in(reg) function,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _, clobber_abi("C"));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: As above.
    unsafe {
        asm!("blr {function}", function = in(reg) function,
            out("x20") _, out("x21") _, out("x22") _, out("x23") _, clobber_abi("C"));
    }
    [false; 4]
}
