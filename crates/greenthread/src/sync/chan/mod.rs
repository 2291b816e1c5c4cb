//! What all channels are made of: messages in a buffer, and threads that wait at either end.
//!
//! * `core`: how messages and waiting threads meet.
//! * `buffer`: where messages lie meanwhile: a ring of fixed size, or linked blocks without a limit.
//!
//! Any number of threads may send and receive; the public faces allow what they allow.

mod buffer;
#[allow(clippy::module_inception)]
pub(crate) mod core;

// What the files of this room take from around it, so that they can be had elsewhere with other atomics.
use super::{atomic, queue, short};
