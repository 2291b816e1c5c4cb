//! Futures: `block_on`, threads that are awaited, and channels, semaphores and descriptors of which
//! one end blocks and the other one awaits.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "some tests are for Unix"))]

mod block_on;
mod channels;
#[path = "../common/mod.rs"]
mod common;
#[cfg(unix)]
mod descriptors;
mod join;
mod parker;
mod polled;
mod semaphore;

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

/// A waker that counts its calls.
#[derive(Debug, Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let this = Arc::<Self>::default();
        (this.clone(), this.into())
    }

    fn get(&self) -> usize {
        self.0.load(SeqCst)
    }
}

/// Polls a future once.
fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// A future that is pending for `n` polls, and wakes itself meanwhile.
fn yields(mut n: u32) -> impl Future<Output = ()> + Unpin {
    std::future::poll_fn(move |context| {
        if n == 0 {
            return Poll::Ready(());
        }
        n -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
}
