//! A cancellation scope as data: one frame on the stack of the thread that has entered it, linked
//! with the scopes around it and the scopes below it. `cancel` says what is done with it.
//!
//! The scopes of a program form a tree. The parent of a scope is the innermost scope that its
//! thread was in when it entered; that of a spawned thread's first scope is the scope that has
//! spawned the thread. A thread looks up the tree to find out whether it is cancelled, and a
//! canceller walks down to find the threads.
//!
//! Invariants:
//! 1. A node does not move and stays alive between `attach` and `detach`, which its own thread
//!    calls. Its parent outlives it: a thread leaves its scopes in the reverse order (if coroutines
//!    make that wrong, the process aborts), and the scope that has spawned a thread waits for it.
//! 2. `first` and the links of the children are touched under the lock of the parent.
//! 3. Under the lock of its parent, a child can't detach. So it is alive, and so is its thread.

use core::{fmt, ptr};
use std::{sync::Arc, time::Instant};

use super::{
    atomic::{
        AtomicU8,
        Ordering::{Acquire, Relaxed, Release},
    },
    cell::Cell,
    tree_lock::TreeLock,
};
use crate::sys::parker::Parker;

/// Whether a scope goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It has not been cancelled.
    Live,
    /// It was cancelled.
    Cancelled,
    /// Its deadline has passed.
    Elapsed,
}

/// The list of the nodes that a canceller finds: the children of a node, or the scopes of a token.
pub(crate) struct List {
    lock: TreeLock,
    first: Cell<*const CancelNode>,
}

/// The neighbours of a node in a list.
#[derive(Debug)]
struct Links {
    next: Cell<*const CancelNode>,
    previous: Cell<*const CancelNode>,
}

/// Which of its two lists a node is linked in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum In {
    /// That of its parent.
    Parent,
    /// That of its token.
    Token,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct CancelNode {
    pub(super) parent: *const CancelNode,
    /// The green thread that has entered it (a `Task`); null for an OS thread.
    pub(super) thread: *const (),
    /// The handle of its worker; null for an OS thread.
    pub(super) worker: *const (),
    /// For an OS thread, what wakes it.
    pub(super) parker: Option<Arc<Parker>>,
    state: AtomicU8,
    /// Whether what is outside does not reach inside.
    pub(super) is_shield: bool,
    pub(super) deadline: Option<Instant>,
    pub(super) children: List,
    links: [Links; 2],
}

// SAFETY: `state` is atomic. The lists are touched under their locks (invariant 2). The other
// fields do not change while the node is attached, and the pointers are followed by code that says
// why their targets are alive.
unsafe impl Send for CancelNode {}
// SAFETY: as above.
unsafe impl Sync for CancelNode {}

// SAFETY: the list is touched under its lock, and a node may be reached from any OS thread.
unsafe impl Send for List {}
// SAFETY: as above.
unsafe impl Sync for List {}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").finish_non_exhaustive()
    }
}

impl CancelNode {
    pub(crate) fn new(parent: *const CancelNode, is_shield: bool, deadline: Option<Instant>) -> Self {
        let links = || Links { next: Cell::new(ptr::null()), previous: Cell::new(ptr::null()) };
        Self {
            parent,
            thread: ptr::null(),
            worker: ptr::null(),
            parker: None,
            state: AtomicU8::new(State::Live as u8),
            is_shield,
            deadline,
            children: List::new(),
            links: [links(), links()],
        }
    }

    /// A scope below `parent`, of the same thread.
    pub(crate) fn below(parent: &CancelNode) -> Self {
        let mut node = Self::new(parent, false, None);
        (node.thread, node.worker, node.parker) = (parent.thread, parent.worker, parent.parker.clone());
        node
    }

    pub(crate) fn state(&self) -> State {
        match self.state.load(Acquire) {
            state if state == State::Live as u8 => State::Live,
            state if state == State::Elapsed as u8 => State::Elapsed,
            _ => State::Cancelled,
        }
    }

    /// Ends the scope, once: the first cause stays. Returns whether this call has done it.
    pub(crate) fn end(&self, cause: State) -> bool {
        self.state.compare_exchange(State::Live as u8, cause as u8, Release, Relaxed).is_ok()
    }

    /// Calls `visit` for this node and for those below it, up to shields. A node is visited while
    /// the list that it is in is locked. Depth first, and without recursion: scopes may be nested
    /// deeper than the caller's stack could hold.
    pub(crate) fn visit_tree(&self, visit: impl Fn(&Self)) {
        let mut at = self;
        loop {
            visit(at);
            // All lists on the way from `self` to `at` stay locked.
            at.children.lock.lock();
            let mut next = at.children.first.get();
            at = loop {
                // SAFETY: it is in a list that is locked, so it is alive (invariants 1 to 3).
                match unsafe { next.as_ref() } {
                    Some(child) if !child.is_shield => break child,
                    Some(shield) => next = shield.links(In::Parent).next.get(),
                    None => {
                        at.children.lock.unlock();
                        if ptr::eq(at, self) {
                            return;
                        }
                        next = at.links(In::Parent).next.get();
                        // SAFETY: a parent outlives its children (invariant 1).
                        at = unsafe { &*at.parent };
                    }
                }
            };
        }
    }

    fn links(&self, which: In) -> &Links {
        &self.links[which as usize]
    }
}

impl List {
    pub(crate) fn new() -> Self {
        Self { lock: TreeLock::new(), first: Cell::new(ptr::null()) }
    }

    pub(crate) fn lock(&self) -> Locked<'_> {
        self.lock.lock();
        Locked(self)
    }

    /// Puts a node in.
    ///
    /// # Safety
    /// The node is in no such list. It stays where it is until `detach`.
    pub(crate) unsafe fn attach(&self, node: &CancelNode, which: In) {
        let _locked = self.lock();
        let first = self.first.replace(node);
        node.links(which).next.set(first);
        // SAFETY: a node in the list is alive (invariant 1), and the lock is held (invariant 2).
        if let Some(first) = unsafe { first.as_ref() } {
            first.links(which).previous.set(node);
        }
    }

    /// Takes a node out. From then on no canceller reaches it by this list.
    ///
    /// # Safety
    /// The node was put into this list, once.
    pub(crate) unsafe fn detach(&self, node: &CancelNode, which: In) {
        let _locked = self.lock();
        let (next, previous) = (node.links(which).next.get(), node.links(which).previous.get());
        // SAFETY: the neighbours are in the list, so they are alive (invariant 1), and the lock is
        // held (invariant 2).
        unsafe {
            match previous.as_ref() {
                Some(previous) => previous.links(which).next.set(next),
                None => self.first.set(next),
            }
            if let Some(next) = next.as_ref() {
                next.links(which).previous.set(previous);
            }
        }
    }
}

/// A locked list.
pub(crate) struct Locked<'a>(&'a List);

impl<'a> Locked<'a> {
    /// The nodes of the list.
    pub(crate) fn nodes(&self, which: In) -> impl Iterator<Item = &'a CancelNode> + use<'a, '_> {
        let mut next = self.0.first.get();
        core::iter::from_fn(move || {
            // SAFETY: a node in the list is alive while the lock is held (invariants 1 to 3).
            let node: &'a CancelNode = unsafe { next.as_ref() }?;
            next = node.links(which).next.get();
            Some(node)
        })
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.0.lock.unlock();
    }
}
