// ANCHOR: head
//! The threads of chapter 8 on stacks that have a guard, and a report of who has run into it.
//!
//! ```
//! use stacks_that_fail_loudly::{Builder, run};
//!
//! let sum = run(|| {
//!     let small = Builder::new().name("small".into()).stack_size(64 * 1024);
//!     small.spawn(|| 1 + 2).expect("there is memory for a stack").join()
//! });
//! assert_eq!(sum, 3);
//! ```
// ANCHOR_END: head

// ANCHOR: rooms
mod overflow;
#[path = "../../a-safe-face/src/root.rs"]
mod root;
pub mod stack;
#[cfg_attr(all(target_arch = "x86_64", unix), path = "../../a-safe-face/src/switch.rs")]
#[cfg_attr(
    not(all(target_arch = "x86_64", unix)),
    path = "../../other-machines/src/switch.rs"
)]
mod switch;
mod sys;
#[path = "../../a-safe-face/src/thread.rs"]
mod thread;

pub use root::Outcome;
pub use thread::{Builder, JoinHandle, name, run, spawn, yield_now};
// ANCHOR_END: rooms
