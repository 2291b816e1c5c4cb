//! The runtime's common queue of unstarted threads: those that OS threads have spawned, and those
//! that a worker's deque had no room for.
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
    /// Whether the last turn was a batch's. Batches and single tasks take turns.
    batch_next: bool,
}

// SAFETY: it owns its tasks (invariant 1), and unstarted tasks may move between OS threads.
unsafe impl Send for Tasks {}

/// The queue.
#[derive(Debug)]
pub(crate) struct Injector {
    tasks: Mutex<Tasks>,
    /// Read without the lock, as a hint (after a fence it is no older than the fence). It is
    /// lowered with release ordering, and only after the taken threads are in the taker's deque. So
    /// a thread that sees it lowered also sees them there.
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

    /// Adds a single task.
    ///
    /// # Safety
    /// The task is unstarted, alive and in no list, and the caller gives it away.
    pub(crate) unsafe fn push(&self, task: NonNull<Task>) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.link(task);
        self.len.fetch_add(1, Release);
    }

    /// Adds the tasks of `from`, of which there are `most` at most, as a batch.
    ///
    /// # Safety
    /// The contract of `push`, for each task.
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

    /// Takes one of the oldest threads. Hands up to `more` threads behind it to `take`: the rest of
    /// its batch, or some single ones.
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
            // The worker that starts the thread will read all of this.
            prefetch(task.as_ptr().cast(), BLOCK);
            take(task);
        }
        self.len.fetch_sub(count, Release);
        first
    }
}

impl Tasks {
    fn link(&mut self, task: NonNull<Task>) {
        // SAFETY: the task is alive, and the caller gives it to the injector.
        unsafe { task.as_ref() }.link().store(ptr::null_mut(), Relaxed);
        match NonNull::new(self.last) {
            None => self.first = task.as_ptr(),
            // SAFETY: a task in the list is alive, and belongs to the injector (invariant 1).
            Some(last) => unsafe { last.as_ref() }.link().store(task.as_ptr(), Relaxed),
        }
        self.last = task.as_ptr();
    }

    fn unlink(&mut self) -> Option<NonNull<Task>> {
        let first = NonNull::new(self.first)?;
        // SAFETY: a task in the list is alive, and belongs to the injector (invariant 1).
        self.first = unsafe { first.as_ref() }.link().load(Relaxed);
        match NonNull::new(self.first) {
            None => self.last = ptr::null_mut(),
            Some(next) => prefetch(next.as_ptr().cast(), BLOCK),
        }
        Some(first)
    }
}
