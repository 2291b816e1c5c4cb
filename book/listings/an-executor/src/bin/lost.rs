//! The lost wake-up: between the look and the waker there is a gap, and the answer falls into it.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use an_executor::{block_on, sleep, spawn};

/// An event that an OS thread makes known.
#[derive(Default)]
struct Event {
    has_happened: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Event {
    fn happen(&self) {
        self.has_happened.store(true, Ordering::SeqCst);
        let waker = self.waker.lock().unwrap().take();
        println!("it happens, and somebody to wake is there: {}", waker.is_some());
        waker.into_iter().for_each(Waker::wake);
    }

    fn is_over(&self) -> bool {
        self.has_happened.load(Ordering::SeqCst)
    }

    fn leave(&self, waker: &Waker) {
        *self.waker.lock().unwrap() = Some(waker.clone());
    }
}

// ANCHOR: orders
/// Looks, and leaves its waker.
async fn look_first(event: Arc<Event>) {
    poll_fn(|context| {
        if event.is_over() {
            return Poll::Ready(());
        }
        gap();
        event.leave(context.waker());
        Poll::Pending
    })
    .await;
}

/// Leaves its waker, and looks.
async fn leave_first(event: Arc<Event>) {
    poll_fn(|context| {
        event.leave(context.waker());
        gap();
        if event.is_over() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
// ANCHOR_END: orders

/// Long enough for the event to happen.
fn gap() {
    thread::sleep(Duration::from_millis(100));
}

fn main() {
    let event = Arc::<Event>::default();
    let is_known = is_known_in_time(&event, look_first(event.clone()));
    println!("looks first: has come to know {is_known}");
    let event = Arc::<Event>::default();
    let is_known = is_known_in_time(&event, leave_first(event.clone()));
    println!("leaves its waker first: has come to know {is_known}");
}

fn is_known_in_time(event: &Arc<Event>, future: impl Future<Output = ()> + 'static) -> bool {
    let event = event.clone();
    let is_known = Rc::new(Cell::new(false));
    let theirs = is_known.clone();
    block_on(async {
        spawn(async move {
            future.await;
            theirs.set(true);
        });
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            event.happen();
        });
        sleep(Duration::from_millis(300)).await;
    });
    is_known.get()
}
