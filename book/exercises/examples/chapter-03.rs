//! Exercise of chapter 3: multiply, and keep all of the result.
//!
//! The product of two numbers of 64 bits has up to 128: `multiply` returns the high half and the
//! low half. Write it with `std::arch::asm!`. The instructions are:
//!
//! - x86-64: `mul {second}` multiplies `rax` by the register in the hole. The high half is then in
//!   `rdx`, and the low half in `rax`.
//! - AArch64: `mul {low}, {first}, {second}` computes the low half,
//!   `umulh {high}, {first}, {second}` the high one. The first of them writes its result when the
//!   second still has to read its inputs: `out`, not `lateout`.
//!
//! Then run `cargo run -p exercises -- check 3`.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let numbers: Vec<u64> = env::args().skip(1).filter_map(|number| number.parse().ok()).collect();
    let [first, second] = numbers[..] else {
        eprintln!("usage: two numbers");
        return ExitCode::from(2);
    };
    let (high, low) = multiply(first, second);
    println!("{high} {low}");
    ExitCode::SUCCESS
}

/// The high and the low half of the product.
fn multiply(first: u64, second: u64) -> (u64, u64) {
    // This is right as long as the product fits into the low half.
    (0, first.wrapping_mul(second))
}
