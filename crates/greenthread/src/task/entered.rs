//! How a thread enters a scope (`cancel_node`), and leaves it.

use core::ptr::{self, NonNull};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::Arc,
    time::Instant,
};

use super::{
    block::{BlockRef, Task},
    cancel::{ENDED, innermost, parker, set_innermost},
    cancel_node::{CancelNode, In, List, State},
    id,
    worker_core::{self, WorkerCore},
    worker_handle::WorkerHandle,
};
use crate::sys::stderr::write_last_words;

/// A scope that the calling thread is in.
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    node: &'a CancelNode,
    outer: *const CancelNode,
    token: Option<&'a List>,
    /// Keeps what the node points to, if the scope may outlast its thread: if it is entered on a
    /// coroutine's stack.
    _kept: Option<(BlockRef, Arc<WorkerHandle<Task>>)>,
}

impl Entered<'_> {
    /// Calls `f` in a new scope, and catches what it is unwound with. Returns as well whether the
    /// scope was cancelled.
    pub(crate) fn run<T>(
        is_shield: bool,
        deadline: Option<Instant>,
        token: Option<&List>,
        f: impl FnOnce() -> T,
    ) -> (std::thread::Result<T>, State) {
        let mut node = CancelNode::new(innermost(), is_shield, deadline);
        // SAFETY: the node stays in this frame until the guard has been dropped.
        let entered = unsafe { Entered::new(&mut node, token) };
        let result = catch_unwind(AssertUnwindSafe(f));
        drop(entered);
        (result, node.state())
    }
}

impl<'a> Entered<'a> {
    /// Enters a scope on the calling thread, and leaves it when the result is dropped.
    ///
    /// # Safety
    /// The result is dropped by the same thread, in the reverse order of such calls, before the
    /// node moves. The parent of the node outlives that.
    pub(crate) unsafe fn new(node: &'a mut CancelNode, token: Option<&'a List>) -> Self {
        let outer = innermost();
        let mut kept = None;
        match worker_core::get().and_then(|core| Some((core, core.running()?))) {
            Some((core, task)) => {
                node.thread = ptr::from_ref(task).cast();
                node.worker = Arc::as_ptr(&core.handle).cast();
                if !task.has_on_stack(ptr::from_ref(node).addr()) {
                    // SAFETY: the running thread is alive.
                    let block = unsafe { BlockRef::share(NonNull::from(&task.block)) };
                    kept = Some((block, core.handle.clone()));
                }
            }
            None => node.parker = Some(parker()),
        }
        let node = &*node;
        set_innermost(node);
        // SAFETY: the parent outlives the node, and the caller keeps the node in place
        // (`cancel_node`, 1).
        unsafe {
            if let Some(parent) = above(node) {
                parent.children.attach(node, In::Parent);
            }
            if let Some(token) = token {
                token.attach(node, In::Token);
            }
        }
        Self { node, outer, token, _kept: kept }
    }

    pub(crate) fn node(&self) -> &'a CancelNode {
        self.node
    }
}

/// The scope above one that a thread has entered. Destructors may enter scopes when the thread's
/// closure has returned; there is none above these.
///
/// # Safety
/// The thread is in the scope.
unsafe fn above(node: &CancelNode) -> Option<&CancelNode> {
    // SAFETY: a parent outlives its children (`cancel_node`, 1).
    if node.parent == ENDED { None } else { unsafe { node.parent.as_ref() } }
}

/// A scope that nobody is in: it is above others, and a canceller finds these through it.
#[derive(Debug)]
pub(crate) struct Attached<'a>(&'a CancelNode);

impl<'a> Attached<'a> {
    /// # Safety
    /// The result is dropped before the node moves, and before the node's parent does.
    pub(crate) unsafe fn new(node: &'a CancelNode) -> Self {
        // SAFETY: the caller vouches for both nodes (`cancel_node`, 1).
        unsafe { (*node.parent).children.attach(node, In::Parent) };
        Self(node)
    }
}

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        // SAFETY: `new` has attached it there.
        unsafe { (*self.0.parent).children.detach(self.0, In::Parent) };
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if !is_innermost(self.node) {
            left_out_of_order();
        }
        // SAFETY: `new` has attached it to both.
        unsafe {
            if let Some(token) = self.token {
                token.detach(self.node, In::Token);
            }
            if let Some(parent) = above(self.node) {
                parent.children.detach(self.node, In::Parent);
            }
        }
        set_innermost(self.outer);
    }
}

/// Whether a scope is the one that the calling thread has to leave next. Any other one may be above
/// a scope that a suspended coroutine is in, or in the chain of another thread.
fn is_innermost(node: &CancelNode) -> bool {
    match worker_core::get().map(WorkerCore::running) {
        Some(Some(task)) => ptr::eq(task.innermost.get(), node),
        // On the home context scopes are not noted.
        Some(None) => node.parker.is_some(),
        None => {
            // SAFETY: the thread is the caller, before it has forked; or it has run on this OS
            // thread and may have ended, and the guard keeps it.
            let thread = unsafe { node.thread.cast::<Task>().as_ref() };
            ptr::eq(innermost(), node) || thread.is_some_and(|thread| id::is_foreign(thread.block.id))
        }
    }
}

/// The links to the scope would be left dangling, and a thread can't be unwound to repair that.
#[cold]
fn left_out_of_order() -> ! {
    write_last_words(
        b"fatal: a coroutine is suspended in a cancellation scope, and a scope around that was left, or another \
thread has resumed the coroutine\n",
    );
    process::abort()
}
