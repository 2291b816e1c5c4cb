//! The smallest executor: one future, and an OS thread that sleeps until the future is woken.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

// ANCHOR: executor
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Sleeper(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        println!("poll");
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
            return outcome;
        }
        thread::park();
    }
}

struct Sleeper(Thread);

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        println!("wake");
        self.0.unpark();
    }
}
// ANCHOR_END: executor

// ANCHOR: future
/// What a future shares with the OS thread that works for it.
#[derive(Default)]
struct Shared {
    answer: Option<u32>,
    waker: Option<Waker>,
}

/// A future of an answer that takes an OS thread a while.
fn answer() -> impl Future<Output = u32> {
    let shared = Arc::new(Mutex::new(Shared::default()));
    let theirs = shared.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        let mut shared = theirs.lock().unwrap();
        shared.answer = Some(42);
        shared.waker.take().into_iter().for_each(Waker::wake);
    });
    poll_fn(move |context| {
        let mut shared = shared.lock().unwrap();
        match shared.answer {
            Some(answer) => Poll::Ready(answer),
            None => {
                shared.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    })
}

fn main() {
    println!("ready: {}", block_on(answer()));
}
// ANCHOR_END: future
