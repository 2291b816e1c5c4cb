//! Awaiting the end of a thread.
//!
//! The future puts a joiner into the thread's `end`, as a thread does that joins it (`job`). The
//! joiner lies in an awaiter, and has parked before it gets there, so the thread that ends always
//! owes it a wake-up, and with it the awaiter's reference. A future that is dropped takes its
//! joiner back, unless the thread has ended; then it drops the handle.

use std::{
    ptr,
    sync::{
        Arc,
        atomic::Ordering::{AcqRel, Acquire},
    },
    task::{Context, Poll},
    thread::Result,
};

use super::{
    awaiter::Awaiter,
    block::BlockRef,
    id,
    job::{Handle, Joiner, Never, refuse, take_back},
};

/// See the module.
pub(crate) struct JoinFuture<T> {
    /// `None` once the result was taken.
    handle: Option<Handle<T>>,
    /// The joiner, while the thread's `end` has it, or had it.
    joiner: Option<Arc<Awaiter<Joiner>>>,
}

impl<T> JoinFuture<T> {
    pub(crate) fn new(handle: Handle<T>) -> Self {
        Self { handle: Some(handle), joiner: None }
    }

    /// The thread, until its result was taken.
    pub(crate) fn thread(&self) -> Option<&BlockRef> {
        self.handle.as_ref().map(|handle| &*handle.block)
    }

    /// # Panics
    /// If it has been ready before, or if the thread runs in a process that has forked this one.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<T>> {
        let handle = self.handle.as_ref().expect("a thread is not awaited again after its end");
        match &self.joiner {
            Some(joiner) if !joiner.is_claimed(context.waker()) => return Poll::Pending,
            None if !handle.has_ended() => {
                let thread = handle.task();
                if id::is_foreign(thread.block.id) {
                    refuse(thread, Never::Foreign);
                }
                let joiner = Awaiter::new(context.waker(), Joiner::new(ptr::null()));
                joiner.park();
                let mine = joiner.payload.address();
                if thread.end.compare_exchange(ptr::null_mut(), mine, AcqRel, Acquire).is_ok() {
                    self.joiner = Some(joiner);
                    return Poll::Pending;
                }
                joiner.take_back();
            }
            _ => {}
        }
        self.joiner = None;
        Poll::Ready(self.handle.take().expect("it was there above").join())
    }
}

impl<T> Drop for JoinFuture<T> {
    fn drop(&mut self) {
        if let (Some(handle), Some(joiner)) = (&self.handle, &self.joiner)
            && take_back(handle.task(), joiner.payload.address())
        {
            joiner.take_back();
        }
    }
}
