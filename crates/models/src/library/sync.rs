//! Its locks. What isn't the library's own stands in for what can't run here: see `locks`.

use crate::{atomic, locks::spin};

pub(crate) mod chan;
pub(crate) mod raw;
#[path = "../../../greenthread/src/task/wait_queue.rs"]
pub(crate) mod wait_queue;
