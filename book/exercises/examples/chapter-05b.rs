//! A harder exercise of chapter 5: many generators, and one that asks another.
//!
//! In the first exercise there was one generator, known to all. Here are three, and one of them
//! asks another for its numbers. Write `next` and `deliver`. Who is `CURRENT`, and when does that
//! change? Then run
//! `cargo run -p exercises -- check 5b`.
#![allow(dead_code)] // until all of it is used

use std::arch::asm;
use std::cell::Cell;

thread_local! {
    /// The generator that runs. Null while `main` does.
    static CURRENT: Cell<*mut Generator> = const { Cell::new(std::ptr::null_mut()) };
}

fn main() {
    let mut numbers = Generator::new(numbers);
    let mut squares = Generator::new(squares);
    for _ in 0..10 {
        println!("{} squared is {}", numbers.next(), squares.next());
    }
}

/// Delivers 0, 1, 2, and so on.
extern "C" fn numbers() -> ! {
    let mut number = 0;
    loop {
        deliver(number);
        number += 1;
    }
}

/// Has numbers of its own, and delivers their squares.
extern "C" fn squares() -> ! {
    let mut numbers = Generator::new(numbers);
    loop {
        let number = numbers.next();
        deliver(number * number);
    }
}

struct Generator {
    stack: Stack,
    delivered: u64,
}

impl Generator {
    /// A generator that is to begin with `start`. It must not be moved while it runs.
    fn new(start: extern "C" fn() -> !) -> Self {
        Self { stack: Stack::new(start), delivered: 0 }
    }

    /// Lets the generator go on until it delivers a number, and returns that.
    fn next(&mut self) -> u64 {
        self.delivered
    }
}

/// Delivers a number of the generator that runs. Returns when the next one is asked for.
fn deliver(number: u64) {
    _ = number;
}

/// A stack that was left. It grows downwards, and is in use from `sp` to the end of its memory.
struct Stack {
    sp: *mut usize,
    /// Kept to be freed. A `u128` is aligned to 16 bytes, as a stack must be.
    #[expect(dead_code)]
    memory: Vec<u128>,
}

impl Stack {
    /// A stack that looks as if it had been left by a `switch`, to go on where `start` begins.
    fn new(start: extern "C" fn() -> !) -> Self {
        // 256 KiB. Nothing is written yet: the OS only gives us the pages that we touch.
        let mut memory = Vec::<u128>::with_capacity(16 * 1024);
        let end = memory.as_mut_ptr().wrapping_add(memory.capacity());
        // From the lowest address up. The zero stands where a caller's address would be.
        let words = [start as *const () as usize, 0];
        let sp = end.cast::<usize>().wrapping_sub(words.len());
        // SAFETY: From `sp` to the end there are as many words, in memory that is ours.
        unsafe { sp.copy_from_nonoverlapping(words.as_ptr(), words.len()) };
        Self { sp, memory }
    }
}

/// Exchanges the stack pointer with `*other`, and so leaves this stack for that one.
///
/// We tell the compiler that all registers are lost, so it saves what it still needs. Two that it
/// does not let us name we push ourselves, and then the address where to go on.
///
/// # Safety
/// `*other` was left by `Stack::new` or `switch` on this OS thread, and its memory is still there.
unsafe fn switch(other: *mut *mut usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: Nobody writes to this stack until a switch to it goes on at 2.
    unsafe {
        asm!(
            "push rbx", "push rbp",
            "lea rax, [rip + 2f]", "push rax",
            "mov rax, [rdi]", "mov [rdi], rsp", "mov rsp, rax",
            "ret",
            "2:", "pop rbp", "pop rbx",
            inout("rdi") other => _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _, clobber_abi("sysv64"),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: As above.
    unsafe {
        asm!(
            "adr x9, 2f", "stp x9, x29, [sp, #-32]!", "str x19, [sp, #16]",
            "ldr x9, [x0]", "mov x10, sp", "str x10, [x0]", "mov sp, x9",
            // x30 is where `start` would return to: no caller there either.
            "ldp x9, x29, [sp], #16", "mov x30, xzr", "ret x9",
            "2:", "ldr x19, [sp], #16",
            inout("x0") other => _,
            out("x20") _, out("x21") _, out("x22") _, out("x23") _, out("x24") _,
            out("x25") _, out("x26") _, out("x27") _, out("x28") _, clobber_abi("C"),
        );
    }
}

#[cfg(any(windows, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("this program runs on x86-64 and AArch64, and not under Windows: see chapter 6");
