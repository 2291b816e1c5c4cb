//! A harder exercise of chapter 4: call a closure on another stack, and bring back what it returns.
//!
//! The answer to
//! `cargo run -p exercises -- check 4b`.

use std::arch::asm;
use std::hint::black_box;
use std::ops::Range;

fn main() {
    let mut memory = Vec::<u128>::with_capacity(16 * 1024);
    let begin = memory.as_mut_ptr();
    let stack = begin..begin.wrapping_add(memory.capacity());
    let (ours, mut calls) = (begin as usize..stack.end as usize, 0);
    let thing = Dropped("what the closure owns");
    // SAFETY: The memory is ours, and nobody else uses it.
    let text = unsafe {
        on_stack(&stack, || {
            let here = 0_u8;
            let address = black_box(&raw const here as usize);
            calls += 1;
            let thing = thing;
            println!(
                "the closure runs on {}",
                if ours.contains(&address) { "our stack" } else { "main's stack" }
            );
            format!("{} was here", thing.0)
        })
    };
    println!("it returns: {text}");
    println!("it was called {calls} time(s)");
}

struct Dropped(&'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        println!("dropped: {}", self.0);
    }
}

/// Calls `function` with `argument` on another stack, and comes back to this one.
///
/// # Safety
/// `top` is the end of a stack, a multiple of 16.
unsafe fn call_on(top: *mut u128, function: extern "C" fn(*mut u8), argument: *mut u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: The caller gives the stack, and in the end we are on our own again.
    unsafe {
        asm!(
            "mov r12, rsp",
            "mov rsp, {top}",
            "call {function}",
            "mov rsp, r12",
            top = in(reg) top, function = in(reg) function, in("rdi") argument, out("r12") _,
            clobber_abi("C"),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: As above.
    unsafe {
        asm!(
            "mov x20, sp",
            "mov sp, {top}",
            "blr {function}",
            "mov sp, x20",
            top = in(reg) top, function = in(reg) function, in("x0") argument, out("x20") _,
            clobber_abi("C"),
        );
    }
}

/// Calls a closure on another stack, and returns what it has returned.
///
/// # Safety
/// The stack is memory that nobody else uses, and large enough for the closure, which doesn't
/// panic.
unsafe fn on_stack<F, T>(stack: &Range<*mut u128>, f: F) -> T
where
    F: FnOnce() -> T,
{
    let mut packet: (Option<F>, Option<T>) = (Some(f), None);
    // SAFETY: The caller gives the stack. The packet is what `trampoline` wants, and stays in
    // place.
    unsafe { call_on(stack.end, trampoline::<F, T>, (&raw mut packet).cast()) };
    packet.1.expect("the closure has returned")
}

/// Calls the closure that lies at this address.
extern "C" fn trampoline<F, T>(address: *mut u8)
where
    F: FnOnce() -> T,
{
    // SAFETY: `on_stack` gives this address to this very function, and waits.
    let (f, result) = unsafe { &mut *address.cast::<(Option<F>, Option<T>)>() };
    // Taken out, it is dropped here and nowhere else.
    *result = f.take().map(|f| f());
}
