//! Exercise of chapter 9: whose guard is it? The handler of the chapter knows the thread that runs.
//! Yours knows all stacks: it has their guards in a table.
//!
//! Write the handler. If the address is in a guard, it says `stack 1 has overflowed` (by `say`),
//! and ends the process by `abort`. If not, it says `not ours`, and lets happen what would have
//! happened without it: a handler that is 0 is the system's own. What happens to the access when
//! the handler returns? Then run `cargo run -p exercises -- check 9`.

use std::ffi::c_int;
use std::ops::Range;
use std::sync::OnceLock;
use std::{env, ptr};

use panics::stack::Stack;
use sys::{SA_SIGINFO_ONSTACK, SIGSEGV, SigAction, SigInfo, abort, sigaction, write};

/// What the chapter has declared of the operating system.
#[allow(dead_code)] // memory is the business of `Stack`
#[rustfmt::skip] // it is formatted with its listing
#[path = "../../listings/stacks-that-fail-loudly/src/sys.rs"]
mod sys;

/// The guards of all stacks.
static GUARDS: OnceLock<Vec<Range<usize>>> = OnceLock::new();

/// The arguments: `guard 1` touches the guard of stack 1, `stack 1` its memory, `address 16` what
/// is nobody's.
fn main() {
    let stacks: [Stack; 3] =
        std::array::from_fn(|_| Stack::new(Stack::DEFAULT_SIZE).expect("memory for a stack"));
    GUARDS.get_or_init(|| stacks.iter().map(Stack::guard).collect());
    install();
    let mut arguments = env::args().skip(1);
    let what = arguments.next().unwrap_or_else(|| "stack".to_owned());
    let number: usize = arguments.next().map_or(0, |number| number.parse().expect("a number"));
    let address = match what.as_str() {
        "guard" => stacks[number].guard().start + 100,
        "stack" => stacks[number].memory().start.addr(),
        _ => number,
    };
    println!("touching {what} {number}");
    // SAFETY: None, and that is the point.
    unsafe { ptr::with_exposed_provenance_mut::<u8>(address).write_volatile(7) };
    println!("it was there");
}

/// Has `handle` called when memory is touched that can't be.
fn install() {
    let ours = SigAction {
        handler: handle as *const () as usize,
        mask: [0; 16],
        flags: SA_SIGINFO_ONSTACK,
        restorer: 0,
    };
    // SAFETY: The handler does no harm.
    assert_eq!(unsafe { sigaction(SIGSEGV, &ours, ptr::null_mut()) }, 0);
}

/// Writes a text to standard error. A handler runs while anything may be half done, so it can't do
/// that by `eprintln!`.
fn say(text: &str) {
    // SAFETY: Reads the text.
    unsafe { write(2, text.as_ptr(), text.len()) };
}

extern "C" fn handle(_: c_int, info: *const SigInfo) {
    // SAFETY: The kernel gives a valid one.
    let address = unsafe { (*info).address };
    // Your turn. As it stands, it ends the process without looking.
    say(if address == 0 { "nothing\n" } else { "something\n" });
    // SAFETY: It ends the process, and that is all.
    unsafe { abort() };
}

#[cfg(not(unix))]
compile_error!("this program's handler is one for Unix signals");
