//! A harder exercise of chapter 3: add numbers of 256 bits, four words each.
//!
//! The processor adds 64 bits at once. It keeps what is carried over from one word to the next in
//! a flag, and has instructions that add this *carry*, too:
//!
//! - x86-64: `add {first}, {second}` adds, `adc` adds with the carry, both into their first
//!   operand. `setc {byte}` puts the carry into a register of one byte, `out(reg_byte)`.
//! - AArch64: `adds {first}, {first}, {second}` adds, `adcs` adds with the carry. `cset {it}, cs`
//!   puts the carry into a register.
//!
//! The answer to
//! `cargo run -p exercises -- check 3b`.

use std::arch::asm;
use std::env;

type Words = [u64; 4];

/// The arguments: four words of one number, then four of the other, the lowest first.
fn main() {
    let words: Vec<u64> = env::args().skip(1).map(|word| word.parse().expect("a number")).collect();
    let (first, second) = words.split_at(4);
    let (sum, carry) = add(first.try_into().expect("four words"), second.try_into().expect("four words"));
    let words: Vec<String> = sum.iter().map(u64::to_string).collect();
    println!("{} carry {carry}", words.join(" "));
}

/// The sum, from the lowest word up, and what is carried over from the highest: 0 or 1.
fn add(first: Words, second: Words) -> (Words, u8) {
    let [mut a, mut b, mut c, mut d] = first;
    let [e, f, g, h] = second;
    let carry: u8;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: It computes, and touches no memory.
    unsafe {
        asm!(
            "add {a}, {e}", "adc {b}, {f}", "adc {c}, {g}", "adc {d}, {h}", "setc {carry}",
            a = inout(reg) a, b = inout(reg) b, c = inout(reg) c, d = inout(reg) d,
            e = in(reg) e, f = in(reg) f, g = in(reg) g, h = in(reg) h,
            carry = out(reg_byte) carry, options(pure, nomem, nostack),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: As above.
    unsafe {
        let flag: u64;
        asm!(
            "adds {a}, {a}, {e}", "adcs {b}, {b}, {f}", "adcs {c}, {c}, {g}", "adcs {d}, {d}, {h}",
            "cset {flag}, cs",
            a = inout(reg) a, b = inout(reg) b, c = inout(reg) c, d = inout(reg) d,
            e = in(reg) e, f = in(reg) f, g = in(reg) g, h = in(reg) h,
            flag = out(reg) flag, options(pure, nomem, nostack),
        );
        carry = flag as u8;
    }
    ([a, b, c, d], carry)
}
