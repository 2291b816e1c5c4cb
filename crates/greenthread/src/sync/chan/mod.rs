//! What all channels are made of: messages in a buffer, and threads that wait at either end.
//!
//! * `core`: how messages and waiting threads meet.
//! * `slot`: what a thread waits with, and the handshake over a message that is yet to be made.
//! * `buffer`: where messages lie meanwhile: a ring of fixed size, or linked blocks without a
//!   limit.
//! * `selectable`: a channel, whatever its messages, as a select sees it.
//! * `select`: one wait at many channels.
//! * `timer`: what delivers the time instead of messages.
//! * `handle`: the counted ends; `cache_line_arc`: where in memory the channel between them lies.
//! * `ends`: the methods of the public senders and receivers.
//!
//! Any number of threads may send and receive; the public faces allow what they allow.

mod buffer;
mod cache_line_arc;
#[allow(clippy::module_inception)]
pub(crate) mod core;
pub(crate) mod ends;
pub(crate) mod handle;
pub(crate) mod select;
pub(crate) mod selectable;
mod slot;
#[cfg(test)]
mod tests;
pub(crate) mod timer;

// What the files of this module take from around it, so that they can be had elsewhere with other
// atomics.
use super::{atomic, raw::spin, wait_queue};
