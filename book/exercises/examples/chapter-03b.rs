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
//! Write `add` with one `asm!`. (Between two of them the compiler may add something of its own, and
//! the flag is lost.) Then run
//! `cargo run -p exercises -- check 3b`.

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
    // This is right as long as no word carries anything over.
    (std::array::from_fn(|index| first[index].wrapping_add(second[index])), 0)
}
