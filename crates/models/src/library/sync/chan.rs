//! Its channels, and the select over them.

#![allow(unreachable_pub, reason = "in the library it is reached")]

#[path = "../../../../greenthread/src/sync/chan/buffer.rs"]
mod buffer;
#[path = "../../../../greenthread/src/sync/chan/core.rs"]
pub(crate) mod core;
#[path = "../../../../greenthread/src/sync/chan/select.rs"]
pub(crate) mod select;
#[path = "../../../../greenthread/src/sync/chan/selectable.rs"]
pub(crate) mod selectable;
#[path = "../../../../greenthread/src/sync/chan/slot.rs"]
pub(crate) mod slot;
#[path = "../../../../greenthread/src/sync/chan/timer.rs"]
mod timer;

use super::{atomic, spin, wait_queue};
