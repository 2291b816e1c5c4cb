//! The library's locks. The modules from `locks` stand in for parts that can't run here.

use crate::{atomic, locks::spin};

pub(crate) mod chan;
pub(crate) mod raw;
#[path = "../../../greenthread/src/task/wait_queue.rs"]
pub(crate) mod wait_queue;
