//! Unstarted threads that lie in no worker's own queue: spawned by OS threads, or more than a worker's own queue
//! holds. First in, first out; linked through themselves, so that queueing can't fail.
//!
//! A long list is longer than the caches, and each link is known only when the one before has come from memory. So each
//! task also knows one that lies [`AHEAD`] places behind it, which is fetched meanwhile (jump pointers: Roth and Sohi 1999).
//!
//! Invariants:
//! 1. A task in the list is unstarted, alive, in no other list, and belongs to the list.
//! 2. `recent` holds the tasks that were pushed last, the one of the n-th push at n modulo `AHEAD`: as many of them as there
//!    are in the list are in the list.

use std::{
    mem,
    ptr::{self, NonNull},
    sync::{
        Mutex, PoisonError,
        atomic::{
            AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

use greenthread_context::prefetch;

use crate::task::{block::Task, inbox::Linked};

/// What is fetched of a thread that is about to start: its task, and about as much of a closure.
const BLOCK: usize = size_of::<Task>() + 32;

/// So many places on is fetched.
const AHEAD: usize = 8;

#[derive(Debug)]
struct List {
    first: *mut Task,
    last: *mut Task,
    len: usize,
    recent: [*mut Task; AHEAD],
    /// How many have ever been pushed.
    pushes: usize,
}

// SAFETY: the list owns its tasks (invariant 1), and unstarted tasks may move between OS threads.
unsafe impl Send for List {}

/// The queue.
#[derive(Debug)]
pub(crate) struct Injector {
    list: Mutex<List>,
    /// Written under the lock; read without, as a hint (after a fence it is no older than the fence). Released, so that
    /// whoever sees it shorter also sees the batch where it went.
    len: AtomicUsize,
}

impl Injector {
    pub(crate) fn new() -> Self {
        Self {
            list: Mutex::new(List {
                first: ptr::null_mut(),
                last: ptr::null_mut(),
                len: 0,
                recent: [ptr::null_mut(); AHEAD],
                pushes: 0,
            }),
            len: AtomicUsize::new(0),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    /// # Safety
    /// The caller gives away an unstarted task that is in no list.
    pub(crate) unsafe fn push(&self, task: NonNull<Task>) {
        // SAFETY: as the caller says.
        unsafe { self.push_all([task]) };
    }

    /// # Safety
    /// As for `push`. The iterator takes no lock that is held while something is pushed.
    pub(crate) unsafe fn push_all(&self, tasks: impl IntoIterator<Item = NonNull<Task>>) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        for task in tasks {
            list.link(task);
        }
        self.len.store(list.len, Release);
    }

    /// Takes the oldest, and hands up to `more` after it to `take`.
    pub(crate) fn pop(&self, more: usize, mut take: impl FnMut(NonNull<Task>)) -> Option<NonNull<Task>> {
        if self.len() == 0 {
            return None;
        }
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let first = list.unlink()?;
        for _ in 0..more {
            let Some(next) = list.unlink() else { break };
            take(next);
        }
        self.len.store(list.len, Release);
        Some(first)
    }
}

impl List {
    fn link(&mut self, pushed: NonNull<Task>) {
        let task = pushed.as_ptr();
        // SAFETY: given to us.
        let new = unsafe { pushed.as_ref() };
        new.link().store(ptr::null_mut(), Relaxed);
        new.ahead().set(ptr::null_mut());
        match NonNull::new(self.last) {
            None => self.first = task,
            // SAFETY: in the list, so alive and ours (invariant 1).
            Some(last) => unsafe { last.as_ref() }.link().store(task, Relaxed),
        }
        self.last = task;
        let earlier = mem::replace(&mut self.recent[self.pushes % AHEAD], task);
        if self.len >= AHEAD {
            // SAFETY: in the list, so alive and ours (invariants 1, 2).
            unsafe { (*earlier).ahead().set(task) };
        }
        self.pushes = self.pushes.wrapping_add(1);
        self.len += 1;
    }

    fn unlink(&mut self) -> Option<NonNull<Task>> {
        let first = NonNull::new(self.first)?;
        // SAFETY: in the list, so alive and ours (invariant 1).
        let task = unsafe { first.as_ref() };
        // Who starts that one will want all of it.
        prefetch(task.ahead().get().cast(), BLOCK);
        self.first = task.link().load(Relaxed);
        if self.first.is_null() {
            self.last = ptr::null_mut();
        }
        self.len -= 1;
        Some(first)
    }
}
