//! The library's files.

#![allow(dead_code, reason = "no model uses everything")]

use crate::{atomic, locks::std_mutex::Mutex};

#[path = "../../greenthread/src/task/cycle.rs"]
pub(crate) mod cycle;
#[path = "../../greenthread/src/task/depot.rs"]
pub(crate) mod depot;
#[path = "../../greenthread/src/task/deque.rs"]
pub(crate) mod deque;
#[path = "../../greenthread/src/scheduler/idle.rs"]
pub(crate) mod idle;
#[path = "../../greenthread/src/task/inbox.rs"]
pub(crate) mod inbox;
#[path = "../../greenthread/src/task/sleep_flag.rs"]
pub(crate) mod sleep_flag;
#[path = "../../greenthread/src/task/state.rs"]
pub(crate) mod state;

pub(crate) mod blocking;
pub(crate) mod inner;
pub(crate) mod sync;
