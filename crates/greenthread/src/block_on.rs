//! Running a future on the calling thread.

use core::{cell::Cell, pin::pin};
use std::task::{Context, Poll, Waker};

use crate::{
    driver::Driver,
    runtime::driver,
    sync::Parker,
    task::{
        cancel,
        coop::{CALL, consume_budget},
        wait::Reason,
    },
};

std::thread_local! {
    /// A parker that no call uses. The green threads of a worker share it: they take it and give it
    /// back.
    static SPARE: Cell<Option<Parker>> = const { Cell::new(None) };
}

/// The parker of one call.
struct Borrowed(Option<Parker>);

impl Borrowed {
    fn new() -> Self {
        // While the OS thread's locals are destroyed there is no spare one.
        Self(Some(SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default()))
    }

    fn parker(&self) -> &Parker {
        self.0.as_ref().expect("only the drop takes it")
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        // A waker that somebody still has may wake it at any time.
        if let Some(mut parker) = self.0.take()
            && parker.renew()
        {
            _ = SPARE.try_with(|spare| spare.set(Some(parker)));
        }
    }
}

/// Runs a future to its end on the calling thread, and returns its output.
///
/// Between two polls a green thread is parked, and its worker runs other threads; an OS thread is
/// blocked. This is so wherever it is called: also inside another future, of this function or of
/// another executor, and after the end of the runtime. The future need not be `Send`, since it
/// stays on this thread. Its waker may be called from any thread, also when all this is over.
///
/// A future of a crate that expects a runtime of its own, with its timers and sockets, finds none
/// here, unless the worker sleeps in that runtime
/// ([`RuntimeBuilder::event_loop`](crate::RuntimeBuilder::event_loop)). The crate
/// `greenthread-tokio` sees to that for tokio.
///
/// Now and then a poll is followed by a yield, as by [`yield_now`](crate::thread::yield_now), so
/// that a future that never waits does not keep other threads of the worker waiting. This is a
/// [cancellation point](crate::cancel#points), before each poll and between them. If the thread is
/// cancelled, the future is dropped.
///
/// # Panics
///
/// Panics with the panic of the future, if that panics.
///
/// # Examples
///
/// ```
/// use greenthread::{block_on, thread};
///
/// let sum = greenthread::run(|| {
///     block_on(async {
///         let (one, two) = (thread::spawn(|| 1), thread::spawn(|| 2));
///         one.await.unwrap() + two.await.unwrap()
///     })
/// });
/// assert_eq!(sum, 3);
/// ```
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    // Dropped last, when the future has dropped its wakers.
    let borrowed = Borrowed::new();
    let parker = borrowed.parker();
    let waker = Waker::from(parker.unparker());
    let mut future = pin!(future.into_future());
    let mut context = Context::from_waker(&waker);
    let event_loop = driver().and_then(Driver::event_loop);
    loop {
        consume_budget(CALL);
        cancel::check();
        let mut polled = Poll::Pending;
        let mut poll = || polled = future.as_mut().poll(&mut context);
        match event_loop {
            None => poll(),
            Some(event_loop) => event_loop.poll(&mut poll),
        }
        if let Poll::Ready(output) = polled {
            return output;
        }
        parker.park_for(Reason::Future, None);
    }
}
