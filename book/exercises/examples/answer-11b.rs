//! A harder exercise of chapter 11: keep ten registers of 128 bits by hand.
//!
//! 32 bytes for the function, 160 for the registers, and 8 that make rsp a multiple of 16. The
//! answer to `cargo run -p exercises -- check 11b`. (The compiler knows Windows's convention under
//! every system, as `extern "win64"`: this one needs no Windows.)

use std::arch::{asm, naked_asm};

fn main() {
    // SAFETY: `spoil` is a function, and `keeping` is to call it.
    let after = unsafe { over_a_call(BEFORE) };
    for (index, (before, after)) in BEFORE.iter().zip(after).enumerate() {
        let what = match [before[0] == after[0], before[1] == after[1]] {
            [true, true] => "whole",
            [true, false] => "half",
            _ => "lost",
        };
        println!("xmm{}: {what}", index + 6);
    }
}

/// What is in xmm6 to xmm15.
type Registers = [[u64; 2]; 10];

const BEFORE: Registers =
    [[6, 60], [7, 70], [8, 80], [9, 90], [10, 100], [11, 110], [12, 120], [13, 130], [14, 140], [15, 150]];

/// Fills the registers, calls `keeping(spoil)`, and says what is in them then.
///
/// # Safety
/// `keeping` calls the function that it is given, and returns.
unsafe fn over_a_call(mut registers: Registers) -> Registers {
    // SAFETY: The compiler knows of all that is lost here. `rsi` is kept by all functions.
    unsafe {
        asm!(
            "movups xmm6, [rsi]", "movups xmm7, [rsi + 16]", "movups xmm8, [rsi + 32]",
            "movups xmm9, [rsi + 48]", "movups xmm10, [rsi + 64]", "movups xmm11, [rsi + 80]",
            "movups xmm12, [rsi + 96]", "movups xmm13, [rsi + 112]", "movups xmm14, [rsi + 128]",
            "movups xmm15, [rsi + 144]",
            "lea rcx, [rip + {spoil}]",
            // A caller leaves 32 bytes to the function that it calls.
            "sub rsp, 32", "call {keeping}", "add rsp, 32",
            "movups [rsi], xmm6", "movups [rsi + 16], xmm7", "movups [rsi + 32], xmm8",
            "movups [rsi + 48], xmm9", "movups [rsi + 64], xmm10", "movups [rsi + 80], xmm11",
            "movups [rsi + 96], xmm12", "movups [rsi + 112], xmm13", "movups [rsi + 128], xmm14",
            "movups [rsi + 144], xmm15",
            keeping = sym keeping, spoil = sym spoil, in("rsi") &raw mut registers,
            out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _,
            out("xmm11") _, out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            clobber_abi("win64"),
        );
    }
    registers
}

/// Loses all ten. It also uses its 32 bytes, as it may.
#[unsafe(naked)]
extern "win64" fn spoil() {
    naked_asm!(
        "pcmpeqd xmm6, xmm6",
        "pcmpeqd xmm7, xmm7",
        "pcmpeqd xmm8, xmm8",
        "pcmpeqd xmm9, xmm9",
        "pcmpeqd xmm10, xmm10",
        "pcmpeqd xmm11, xmm11",
        "pcmpeqd xmm12, xmm12",
        "pcmpeqd xmm13, xmm13",
        "pcmpeqd xmm14, xmm14",
        "pcmpeqd xmm15, xmm15",
        "movups [rsp + 8], xmm6",
        "movups [rsp + 24], xmm6",
        "ret",
    )
}

/// Calls `function`, and keeps xmm6 to xmm15 as a function of Windows's convention has to.
#[unsafe(naked)]
extern "win64" fn keeping(function: extern "win64" fn()) {
    naked_asm!(
        "sub rsp, 200",
        "movaps [rsp + 32], xmm6",
        "movaps [rsp + 48], xmm7",
        "movaps [rsp + 64], xmm8",
        "movaps [rsp + 80], xmm9",
        "movaps [rsp + 96], xmm10",
        "movaps [rsp + 112], xmm11",
        "movaps [rsp + 128], xmm12",
        "movaps [rsp + 144], xmm13",
        "movaps [rsp + 160], xmm14",
        "movaps [rsp + 176], xmm15",
        "call rcx",
        "movaps xmm6, [rsp + 32]",
        "movaps xmm7, [rsp + 48]",
        "movaps xmm8, [rsp + 64]",
        "movaps xmm9, [rsp + 80]",
        "movaps xmm10, [rsp + 96]",
        "movaps xmm11, [rsp + 112]",
        "movaps xmm12, [rsp + 128]",
        "movaps xmm13, [rsp + 144]",
        "movaps xmm14, [rsp + 160]",
        "movaps xmm15, [rsp + 176]",
        "add rsp, 200",
        "ret",
    )
}

#[cfg(not(target_arch = "x86_64"))]
compile_error!("Windows's convention with these registers is one of x86-64");
