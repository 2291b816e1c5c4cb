//! The runtime's common queue of unstarted threads: those spawned by OS threads, and those that a
//! worker's deque has no room for.
//!
//! The former come one by one, and are linked through themselves. The latter come and go in
//! *batches*: arrays of tasks that change hands in a few instructions, without a look at any task.
//! A batch takes memory. If there is none, its tasks are linked as the others are, so queueing
//! can't fail. Each of the two kinds is first in, first out, and they take turns.
//!
//! Invariants:
//! 1. A task in here is unstarted, alive, in no other list, and belongs to the injector.
//! 2. No batch is empty.

use std::{
    collections::VecDeque,
    ptr::{self, NonNull},
    sync::{
        Mutex, PoisonError,
        atomic::{
            AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    vec,
};

use greenthread_context::prefetch;

use super::policy::INJECTOR_SINGLES;
use crate::task::{block::Task, inbox::Linked};

/// How many bytes of a thread that is about to start are fetched ahead: its task, and the first
/// bytes of its closure.
const BLOCK: usize = size_of::<Task>() + 32;

type Batch = vec::IntoIter<NonNull<Task>>;

#[derive(Debug)]
struct Tasks {
    first: *mut Task,
    last: *mut Task,
    batches: VecDeque<Batch>,
    /// The next task comes out of a batch, if there is one.
    batch_next: bool,
}

// SAFETY: it owns its tasks (invariant 1), and unstarted tasks may move between OS threads.
unsafe impl Send for Tasks {}

/// The queue.
#[derive(Debug)]
pub(crate) struct Injector {
    tasks: Mutex<Tasks>,
    /// Read without the lock, as a hint (after a fence it is no older than the fence). Lowered only
    /// when what was taken has arrived, and released, so that whoever sees it shorter also sees the
    /// batch where it went.
    len: AtomicUsize,
}

impl Injector {
    pub(crate) fn new() -> Self {
        let (first, last) = (ptr::null_mut(), ptr::null_mut());
        let tasks = Tasks { first, last, batches: VecDeque::new(), batch_next: false };
        Self { tasks: Mutex::new(tasks), len: AtomicUsize::new(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    /// # Safety
    /// The caller gives away an unstarted task that is in no list.
    pub(crate) unsafe fn push(&self, task: NonNull<Task>) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.link(task);
        self.len.fetch_add(1, Release);
    }

    /// Puts a batch in, of `most` tasks at most.
    ///
    /// # Safety
    /// As for `push`.
    pub(crate) unsafe fn push_batch(&self, most: usize, mut from: impl Iterator<Item = NonNull<Task>>) {
        let mut batch = Vec::new();
        if batch.try_reserve_exact(most).is_ok() {
            // `extend` would ask the chain of iterators for each item which part it is in.
            from.by_ref().take(most).for_each(|task| batch.push(task));
        }
        let count = batch.len();
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if count != 0 && tasks.batches.try_reserve(1).is_ok() {
            tasks.batches.push_back(batch.into_iter());
            self.len.fetch_add(count, Release);
            return;
        }
        for task in batch.into_iter().chain(from) {
            tasks.link(task);
            self.len.fetch_add(1, Release);
        }
    }

    /// Takes an old one, and hands up to `more` after it to `take`: the rest of its batch, or some.
    pub(crate) fn pop(&self, more: usize, mut take: impl FnMut(NonNull<Task>)) -> Option<NonNull<Task>> {
        if self.len() == 0 {
            return None;
        }
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.batch_next = !tasks.batch_next || tasks.first.is_null();
        let mut rest = Batch::default();
        let mut count = 1;
        let first = if tasks.batch_next
            && let Some(batch) = tasks.batches.front_mut()
        {
            let first = batch.next();
            if batch.len() <= more {
                rest = tasks.batches.pop_front().unwrap_or_default();
                count += rest.len();
            }
            first
        } else {
            let first = tasks.unlink();
            for task in (0..more.min(INJECTOR_SINGLES)).map_while(|_| tasks.unlink()) {
                take(task);
                count += 1;
            }
            first
        };
        drop(tasks);
        first?;
        for task in rest {
            // The worker that starts that thread will read all of it.
            prefetch(task.as_ptr().cast(), BLOCK);
            take(task);
        }
        self.len.fetch_sub(count, Release);
        first
    }
}

impl Tasks {
    fn link(&mut self, task: NonNull<Task>) {
        // SAFETY: given to us.
        unsafe { task.as_ref() }.link().store(ptr::null_mut(), Relaxed);
        match NonNull::new(self.last) {
            None => self.first = task.as_ptr(),
            // SAFETY: in the list, so alive and ours (invariant 1).
            Some(last) => unsafe { last.as_ref() }.link().store(task.as_ptr(), Relaxed),
        }
        self.last = task.as_ptr();
    }

    fn unlink(&mut self) -> Option<NonNull<Task>> {
        let first = NonNull::new(self.first)?;
        // SAFETY: in the list, so alive and ours (invariant 1).
        self.first = unsafe { first.as_ref() }.link().load(Relaxed);
        match NonNull::new(self.first) {
            None => self.last = ptr::null_mut(),
            Some(next) => prefetch(next.as_ptr().cast(), BLOCK),
        }
        Some(first)
    }
}
