//! Answer of chapter 3.

use std::arch::asm;
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
    let (high, low);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: Multiplies registers, and changes no other than those that it names.
    unsafe {
        asm!("mul {second}", second = in(reg) second, inout("rax") first => low, out("rdx") high);
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: As above.
    unsafe {
        asm!(
            "mul {low}, {first}, {second}",
            "umulh {high}, {first}, {second}",
            first = in(reg) first, second = in(reg) second, low = out(reg) low, high = out(reg) high,
        );
    }
    (high, low)
}
