//! The common implementation of all channels: messages in a buffer, and threads that wait at either
//! end.
//!
//! * `core`: sending, receiving and waiting.
//! * `slot`: the payload of a waiting thread's queue node, and the handshake over a message that
//!   has yet to be made.
//! * `buffer`: the messages that have been sent and not received: a ring of fixed size, or linked
//!   blocks without a limit.
//! * `selectable`: a channel of any message type, as a select uses it.
//! * `select`: one wait at several channels.
//! * `awaiting`: futures at either end.
//! * `timer`: receivers of the time instead of messages.
//! * `handle`: the counted handles at both ends. `cache_line_arc`: the shared allocation behind
//!   them.
//! * `ends`: the methods of the public senders and receivers. `async_ends`: those that return
//!   futures.
//!
//! Any number of threads may send and receive here. The public types restrict that.

pub(crate) mod async_ends;
pub(crate) mod awaiting;
mod buffer;
mod cache_line_arc;
#[allow(clippy::module_inception)]
pub(crate) mod core;
pub(crate) mod ends;
pub(crate) mod handle;
pub(crate) mod select;
pub(crate) mod selectable;
mod slot;
pub(crate) mod timer;

// The files of this module import these from here only, so that the models can build them with
// other atomics.
use super::{atomic, raw::spin, wait_queue};
