// ANCHOR: head
//! The two hundred lines with a safe face: threads have results, and whoever wants one waits
//! for it.
//!
//! ```
//! let sum = a_safe_face::run(|| {
//!     let one = a_safe_face::spawn(|| 1);
//!     let two = a_safe_face::spawn(|| 2);
//!     one.join() + two.join()
//! });
//! assert_eq!(sum, 3);
//! ```
// ANCHOR_END: head
// ANCHOR: borrowed
//!
//! # What the compiler refuses
//!
//! A thread may outlive the function that has spawned it. So it borrows nothing from there:
//!
//! ```compile_fail,E0373
//! a_safe_face::run(|| {
//!     let name = String::from("mine");
//!     a_safe_face::spawn(|| println!("{name}")); // may outlive the borrowed value
//! });
//! ```
// ANCHOR_END: borrowed
// ANCHOR: sent
//!
//! A thread stays on its OS thread, and so does the handle of one:
//!
//! ```compile_fail,E0277
//! a_safe_face::run(|| {
//!     let thread = a_safe_face::spawn(|| 1);
//!     std::thread::spawn(move || thread.join()); // cannot be sent between threads safely
//! });
//! ```
// ANCHOR_END: sent
// ANCHOR: rc
//!
//! Between the green threads of one OS thread, an `Rc` is as good as an `Arc`:
//!
//! ```
//! use std::rc::Rc;
//!
//! let text = Rc::new(String::from("shared"));
//! let again = text.clone();
//! let length = a_safe_face::run(move || a_safe_face::spawn(move || again.len()).join());
//! assert_eq!(length, text.len());
//! ```
// ANCHOR_END: rc

// ANCHOR: rooms
mod root;
mod stack;
#[cfg_attr(
    not(all(target_arch = "x86_64", unix)),
    path = "../../other-machines/src/switch.rs"
)]
mod switch;
mod thread;

pub use root::Outcome;
pub use thread::{Builder, JoinHandle, name, run, spawn, yield_now};
// ANCHOR_END: rooms
