// ANCHOR: head
//! The threads of chapters 8 and 9; a panic ends its thread and nothing else, and whoever
//! joins it is told.
//!
//! ```
//! let outcome = panics::run(|| panics::spawn(|| -> u32 { panic!("no more coffee") }).join());
//! assert_eq!(*outcome.unwrap_err().downcast::<&str>().unwrap(), "no more coffee");
//! ```
// ANCHOR_END: head

// ANCHOR: rooms
mod generator;
#[cfg(unix)]
#[path = "../../stacks-that-fail-loudly/src/overflow.rs"]
mod overflow;
mod root;
#[cfg_attr(unix, path = "../../stacks-that-fail-loudly/src/stack.rs")]
#[cfg_attr(windows, path = "../../a-safe-face/src/stack.rs")]
pub mod stack;
#[cfg_attr(
    not(all(target_arch = "x86_64", unix)),
    path = "../../other-machines/src/switch.rs"
)]
mod switch;
#[cfg(unix)]
#[path = "../../stacks-that-fail-loudly/src/sys.rs"]
mod sys;
#[path = "../../a-safe-face/src/thread.rs"]
mod thread;

pub use generator::{Generator, Yielder};
pub use root::Outcome;
pub use thread::{Builder, JoinHandle, name, run, spawn, yield_now};
// ANCHOR_END: rooms
