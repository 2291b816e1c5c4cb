// ANCHOR: lent
//! A future lends a variable of its own to an OS thread. Then it is dropped, or forgotten.

use std::mem;
use std::process;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use generators::yield_now;

/// How often an OS thread has looked at what was lent to it.
static LOOKS: AtomicU64 = AtomicU64::new(0);

/// An OS thread that looks at a number of somebody else's until this is dropped.
struct Reader {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// # Safety
    /// As long as this hasn't been dropped, the number must stay where it is.
    unsafe fn new(number: &AtomicU64) -> Self {
        // SAFETY: The caller has promised it.
        let number: &'static AtomicU64 = unsafe { &*ptr::from_ref(number) };
        let stop = Arc::new(AtomicBool::new(false));
        let theirs = stop.clone();
        let thread = thread::spawn(move || {
            while !theirs.load(Relaxed) {
                assert_eq!(number.load(Relaxed), 7);
                LOOKS.fetch_add(1, Relaxed);
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        let thread = self.thread.take().expect("it is dropped once");
        thread.join().expect("it has always read 7");
        println!("nobody looks at the number any more");
    }
}
// ANCHOR_END: lent

// ANCHOR: main
async fn lend() {
    let number = AtomicU64::new(7);
    // SAFETY: `number` lies in this future, which is pinned. Its memory stays until the future is
    // dropped, and then `reader` is dropped first.
    let _reader = unsafe { Reader::new(&number) };
    loop {
        yield_now().await;
    }
}

fn main() {
    let mut context = Context::from_waker(Waker::noop());
    let mut dropped = Box::pin(lend());
    assert!(dropped.as_mut().poll(&mut context).is_pending());
    drop(dropped);
    println!("the first future has been dropped");

    let mut forgotten = Box::pin(lend());
    assert!(forgotten.as_mut().poll(&mut context).is_pending());
    mem::forget(forgotten);
    let before = LOOKS.load(Relaxed);
    while LOOKS.load(Relaxed) == before {
        thread::sleep(Duration::from_millis(1));
    }
    println!("the second one has been forgotten, and its number is still 7");
    process::exit(0);
}
// ANCHOR_END: main
