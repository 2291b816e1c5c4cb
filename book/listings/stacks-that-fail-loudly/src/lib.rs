// ANCHOR: head
//! The threads of chapter 8 on stacks that have a guard, and a report of who has run into it.
//!
//! ```
//! let thread = || stacks_that_fail_loudly::Builder::new().name("small".into()).stack_size(64 * 1024);
//! let sum = stacks_that_fail_loudly::run(move || thread().spawn(|| 1 + 2).map(|small| small.join()));
//! assert_eq!(sum.unwrap(), 3);
//! ```
// ANCHOR_END: head

// ANCHOR: rooms
mod overflow;
#[path = "../../a-safe-face/src/root.rs"]
mod root;
pub mod stack;
#[path = "../../a-safe-face/src/switch.rs"]
mod switch;
mod sys;
#[path = "../../a-safe-face/src/thread.rs"]
mod thread;

pub use root::Outcome;
pub use thread::{Builder, JoinHandle, name, run, spawn, yield_now};
// ANCHOR_END: rooms
