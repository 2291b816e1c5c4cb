//! What a stack costs that is touched once: mapped, guarded and unmapped each time; or from
//! the arena and back.

use std::io;
use std::time::Instant;

use stacks_that_fail_loudly::stack::Stack;

fn main() -> io::Result<()> {
    println!("mapped-stack {} ns", time(2 * Stack::DEFAULT_SIZE, 10_000)?);
    println!("arena-stack {} ns", time(Stack::DEFAULT_SIZE, 1_000_000)?);
    Ok(())
}

/// The nanoseconds for one stack of this size, which the arena has if it is the usual one.
fn time(size: usize, times: u32) -> io::Result<u128> {
    let start = Instant::now();
    for _ in 0..times {
        let stack = Stack::new(size)?;
        // SAFETY: The highest byte of a stack that is ours.
        unsafe { stack.memory().end.sub(1).write_volatile(1) };
    }
    Ok((start.elapsed() / times).as_nanos())
}
