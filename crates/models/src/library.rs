//! The library's files.

#![allow(dead_code, reason = "no model uses everything")]

use crate::{
    atomic,
    locks::{cell, std_mutex::Mutex, tree_lock},
};

#[path = "../../greenthread/src/task/cancel_node.rs"]
pub(crate) mod cancel_node;
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
#[path = "../../greenthread/src/task/notes.rs"]
pub(crate) mod notes;
#[path = "../../greenthread/src/task/sleep_flag.rs"]
pub(crate) mod sleep_flag;
#[path = "../../greenthread/src/task/state.rs"]
pub(crate) mod state;

pub(crate) mod blocking;
pub(crate) mod inner;
pub(crate) mod sync;

impl cancel_node::CancelNode {
    pub(crate) fn parent(&self) -> *const Self {
        self.parent
    }

    pub(crate) fn parker(&self) -> Option<&crate::sys::parker::Parker> {
        self.parker.as_deref()
    }

    pub(crate) fn set_parker(&mut self, parker: std::sync::Arc<crate::sys::parker::Parker>) {
        self.parker = Some(parker);
    }

    pub(crate) fn thread(&self) -> *const () {
        self.thread
    }

    pub(crate) fn set_thread(&mut self, thread: *const ()) {
        self.thread = thread;
    }

    pub(crate) fn is_shield(&self) -> bool {
        self.is_shield
    }

    pub(crate) fn children(&self) -> &cancel_node::List {
        &self.children
    }
}
