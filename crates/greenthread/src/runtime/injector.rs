//! Unstarted threads that lie in no worker's own queue: spawned by OS threads, or more than a worker's own queue
//! holds. First in, first out; linked through themselves, so that queueing can't fail.
//!
//! Invariants:
//! 1. A task in the list is unstarted, alive, in no other list, and belongs to the list.

use std::{
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

#[derive(Debug)]
struct List {
    first: *mut Task,
    last: *mut Task,
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
            list: Mutex::new(List { first: ptr::null_mut(), last: ptr::null_mut() }),
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
        let mut pushed = 0;
        for task in tasks {
            // SAFETY: given to us.
            unsafe { task.as_ref() }.link().store(ptr::null_mut(), Relaxed);
            match NonNull::new(list.last) {
                None => list.first = task.as_ptr(),
                // SAFETY: in the list, so alive and ours (invariant 1).
                Some(last) => unsafe { last.as_ref() }.link().store(task.as_ptr(), Relaxed),
            }
            list.last = task.as_ptr();
            pushed += 1;
        }
        self.len.store(self.len.load(Relaxed) + pushed, Release);
    }

    /// Takes the oldest, and hands up to `more` after it to `take`.
    pub(crate) fn pop(&self, more: usize, mut take: impl FnMut(NonNull<Task>)) -> Option<NonNull<Task>> {
        if self.len() == 0 {
            return None;
        }
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let first = Self::unlink(&mut list)?;
        let mut taken = 1;
        while taken <= more
            && let Some(next) = Self::unlink(&mut list)
        {
            take(next);
            taken += 1;
        }
        self.len.store(self.len.load(Relaxed) - taken, Release);
        Some(first)
    }

    fn unlink(list: &mut List) -> Option<NonNull<Task>> {
        let first = NonNull::new(list.first)?;
        // Who starts it will want all of it. To fetch what follows takes its link, which comes as slowly.
        prefetch(first.as_ptr().cast(), BLOCK);
        // SAFETY: in the list, so alive and ours (invariant 1).
        list.first = unsafe { first.as_ref() }.link().load(Relaxed);
        if list.first.is_null() {
            list.last = ptr::null_mut();
        }
        Some(first)
    }
}
