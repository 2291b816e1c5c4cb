//! Exercise of chapter 7: a gauge for stacks. Paint a stack before its thread begins; look
//! afterwards where the paint has gone.
//!
//! `paint` is done. Write `used`. Then run `cargo run -p exercises -- check 7`.

/// What nobody writes by chance.
const PAINT: u64 = 0x5EA1_5EA1_5EA1_5EA1;

/// Paints a stack, all of it.
fn paint(stack: &mut [u64]) {
    stack.fill(PAINT);
}

/// How many words were in use when the stack was at its deepest. It grows from its last word
/// towards its first, and not every word on the way is written to.
fn used(stack: &[u64]) -> usize {
    // Your turn.
    stack.len() - stack.len()
}

/// The arguments: how many words the stack has, then which of them are written to.
fn main() {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse().expect("a number"));
    let mut stack = vec![0; numbers.next().unwrap_or(10)];
    paint(&mut stack);
    for index in numbers {
        stack[index] = 7;
    }
    let used = used(&stack);
    println!("{used} of {} words were used", stack.len());
    if used == stack.len() {
        println!("and maybe more: this stack is too small");
    }
}
