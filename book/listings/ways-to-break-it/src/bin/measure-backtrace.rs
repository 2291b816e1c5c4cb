//! How much of its stack a thread uses that does nothing but make a text of its backtrace, as
//! a panic does.
include!(concat!(env!("OUT_DIR"), "/toy.rs"));

use std::backtrace::Backtrace;
use std::mem::MaybeUninit;

const PAINT: u128 = 0x5EA1_5EA1_5EA1_5EA1_5EA1_5EA1_5EA1_5EA1;

fn main() {
    let task: Box<dyn FnOnce()> = Box::new(|| drop(Backtrace::force_capture().to_string()));
    let mut thread = Thread { stack: Stack::new(), task: Some(task) };
    let memory = thread.stack.memory.spare_capacity_mut();
    // The highest words are those that `Stack::new` has written.
    let free = memory.len() - 16;
    memory[..free].fill(MaybeUninit::new(PAINT));
    CURRENT.set(&raw mut thread);
    // SAFETY: As in `run`.
    unsafe { switch(&raw mut thread.stack.sp) };
    let memory = &thread.stack.memory.spare_capacity_mut()[..free];
    // SAFETY: All of it was painted.
    let untouched =
        memory.iter().take_while(|word| unsafe { word.assume_init() } == PAINT).count();
    println!(
        "stack-used-by-a-backtrace {} bytes",
        (free - untouched + 16) * size_of::<u128>()
    );
}
