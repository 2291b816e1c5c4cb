// ANCHOR: head
//! A bridge between the green threads of chapter 8 and the tasks of chapter 28.
//!
//! ```
//! use an_executor::yield_now;
//! use both_roads::{run, spawn_thread, wait_for};
//!
//! let sum = run(async {
//!     let thread = spawn_thread(|| {
//!         wait_for(yield_now()); // a green thread waits for a future
//!         1
//!     });
//!     thread.await + 2 // a future waits for a green thread
//! });
//! assert_eq!(sum, 3);
//! ```
// ANCHOR_END: head
// ANCHOR: colours
//!
//! # What the compiler refuses
//!
//! An `await` in a callback that isn't `async`:
//!
//! ```compile_fail,E0728
//! async fn sort(words: &mut [&str]) {
//!     words.sort_by(|one, two| {
//!         an_executor::yield_now().await; // only allowed inside `async` functions and blocks
//!         one.cmp(two)
//!     });
//! }
//! ```
//!
//! And one that is `async`, for it returns a future, where `sort_by` wants an `Ordering`:
//!
//! ```compile_fail,E0271
//! async fn sort(words: &mut [&str]) {
//!     words.sort_by(async |one, two| { // expected `Ordering`
//!         an_executor::yield_now().await;
//!         one.cmp(two)
//!     });
//! }
//! ```
// ANCHOR_END: colours

// ANCHOR: run
use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Runs a future in a green thread. When none of its tasks is ready, the others have their turns.
pub fn run<F>(main: F) -> F::Output
where
    F: Future + 'static,
    F::Output: 'static,
{
    a_safe_face::run(|| an_executor::block_on_with(main, |_| a_safe_face::yield_now()))
}
// ANCHOR_END: run

// ANCHOR: wait_for
/// Waits for a future, in a green thread.
pub fn wait_for<F: Future>(future: F) -> F::Output {
    // It stays where it is, on this thread's stack.
    let mut future = pin!(future);
    let flag = Arc::new(Flag(AtomicBool::new(true)));
    let waker = Waker::from(flag.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        if flag.0.swap(false, Ordering::AcqRel)
            && let Poll::Ready(outcome) = future.as_mut().poll(&mut context)
        {
            return outcome;
        }
        a_safe_face::yield_now();
    }
}

/// Whether the future is to be polled.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
// ANCHOR_END: wait_for

// ANCHOR: join
/// A future of what a green thread returns.
#[derive(Debug)]
pub struct JoinFuture<T>(Rc<RefCell<Packet<T>>>);

/// What a green thread and its future share.
#[derive(Debug)]
struct Packet<T> {
    outcome: Option<T>,
    joiner: Option<Waker>,
}

/// Spawns a green thread, for a future to wait for.
pub fn spawn_thread<F, T>(f: F) -> JoinFuture<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    let packet = Rc::new(RefCell::new(Packet { outcome: None, joiner: None }));
    let theirs = packet.clone();
    a_safe_face::spawn(move || {
        let ended = Packet { outcome: Some(f()), joiner: None };
        theirs.replace(ended).joiner.into_iter().for_each(Waker::wake);
    });
    JoinFuture(packet)
}

impl<T> Future for JoinFuture<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut packet = self.0.borrow_mut();
        packet.joiner = Some(context.waker().clone());
        packet.outcome.take().map_or(Poll::Pending, Poll::Ready)
    }
}
// ANCHOR_END: join
