// ANCHOR: refused
//! What chapter 27 tries, and the compiler refuses.
//!
//! An `async` block may point into itself, so it isn't `Unpin`, and can't be polled where
//! somebody might move it:
//!
//! ```compile_fail,E0277
//! use std::pin::Pin;
//! use std::task::{Context, Waker};
//!
//! let mut future = async { generators::yield_now().await };
//! let mut context = Context::from_waker(Waker::noop());
//! _ = Pin::new(&mut future).poll(&mut context); // cannot be unpinned
//! ```
// ANCHOR_END: refused
// ANCHOR: gone
//!
//! `pin!` takes the future away, so that nobody can reach it by its old name:
//!
//! ```compile_fail,E0382
//! use std::pin::pin;
//! use std::task::{Context, Waker};
//!
//! let future = async { generators::yield_now().await };
//! let mut context = Context::from_waker(Waker::noop());
//! _ = pin!(future).poll(&mut context);
//! let elsewhere = Box::new(future); // use of moved value
//! ```
// ANCHOR_END: gone
// ANCHOR: unpin
//!
//! Nearly all other types are `Unpin`, and so is a pointer to whatever:
//!
//! ```
//! fn may_be_moved<T: Unpin>(_: T) {}
//!
//! may_be_moved(5);
//! may_be_moved(String::from("text"));
//! may_be_moved(vec![1, 2, 3]);
//! may_be_moved(Box::pin(async { generators::yield_now().await }));
//! ```
// ANCHOR_END: unpin
