//! `block_on`, wherever it is called.

use std::{
    cell::Cell,
    future::{pending, poll_fn, ready},
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Poll, Wake, Waker},
    time::Duration,
};

use greenthread::{
    block_on,
    cancel::{self, Cancelled},
    channel, thread,
};

use crate::{
    common::{
        runtime,
        world::{Counted, everywhere},
    },
    yields,
};

#[test]
fn ready_pending_woken_from_anywhere() {
    everywhere(|world| {
        assert_eq!(block_on(ready(1)), 1);
        block_on(yields(1000));
        for n in 0..100 {
            let (waker, slot) = (Arc::new(Mutex::new(None::<Waker>)), Arc::new(AtomicBool::new(false)));
            let (theirs, done) = (waker.clone(), slot.clone());
            let other = world.spawn(move || {
                while n % 3 != 0 && theirs.lock().unwrap().is_none() {
                    thread::yield_now();
                }
                done.store(true, SeqCst);
                if let Some(waker) = &*theirs.lock().unwrap() {
                    waker.wake_by_ref();
                }
            });
            block_on(poll_fn(|context| {
                *waker.lock().unwrap() = Some(context.waker().clone());
                if slot.load(SeqCst) { Poll::Ready(()) } else { Poll::Pending }
            }));
            other.end();
            // Late, and from elsewhere.
            let waker = waker.lock().unwrap().take().unwrap();
            waker.wake_by_ref();
            world.spawn(move || waker.wake()).end();
        }
    });
}

#[test]
fn a_future_that_is_not_send_stays_on_its_thread() {
    everywhere(|_| {
        let shared = Rc::new(Cell::new(0));
        let id = thread::current().id();
        block_on(async {
            for n in 1..=3 {
                yields(n).await;
                shared.set(shared.get() + n);
                assert_eq!(thread::current().id(), id);
            }
        });
        assert_eq!(shared.get(), 6);
    });
}

/// The inner call must not consume the outer one's wake-up, nor the user's token.
#[test]
fn nested_and_beside_park() {
    everywhere(|_| {
        let mut polls = 0;
        thread::current().unpark();
        block_on(poll_fn(|context| {
            polls += 1;
            context.waker().wake_by_ref();
            block_on(yields(3));
            if polls == 10 { Poll::Ready(()) } else { Poll::Pending }
        }));
        assert_eq!(polls, 10);
        thread::park();
        // No token is left by any of this.
        block_on(yields(3));
        let start = std::time::Instant::now();
        let mut rounds = 0;
        while start.elapsed() < Duration::from_millis(2) {
            thread::park_timeout(Duration::from_millis(2));
            rounds += 1;
        }
        assert_eq!(rounds, 1);
    });
}

#[test]
fn a_waker_may_block_on_and_wake_late() {
    struct Blocks(AtomicUsize);
    impl Wake for Blocks {
        fn wake(self: Arc<Self>) {
            block_on(yields(2));
            self.0.fetch_add(1, SeqCst);
        }
    }
    everywhere(|world| {
        let (sender, receiver) = channel::bounded(0);
        let waker = Arc::new(Blocks(AtomicUsize::new(0)));
        let mut receive = receiver.recv_async();
        assert!(crate::poll(&mut receive, &waker.clone().into()).is_pending());
        world.spawn(move || sender.send(7).unwrap()).end();
        assert_eq!(waker.0.load(SeqCst), 1);
        assert_eq!(block_on(receive), Ok(7));
    });
}

/// Three million ready polls, and sleepers that want to run meanwhile.
#[test]
fn a_budget() {
    let runs = Arc::new(AtomicUsize::new(0));
    runtime(1).run(|| {
        let count = runs.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let sibling = thread::spawn(move || {
            while !stopped.load(SeqCst) {
                count.fetch_add(1, SeqCst);
                thread::yield_now();
            }
        });
        for _ in 0..1000 {
            block_on(ready(()));
        }
        assert!(runs.load(SeqCst) >= 5, "{} runs beside 1000 calls", runs.load(SeqCst));
        let before = runs.load(SeqCst);
        block_on(yields(1000));
        assert!(runs.load(SeqCst) - before >= 5, "beside 1000 polls");
        stop.store(true, SeqCst);
        sibling.join().unwrap();
    });
}

#[test]
fn cancellation_drops_the_future() {
    everywhere(|_| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let (counted, started) = (Counted(dropped.clone()), channel::bounded(1));
        let thread = thread::spawn(move || {
            block_on(async move {
                let _counted = counted;
                started.0.send(()).unwrap();
                pending::<()>().await;
            });
        });
        started.1.recv().unwrap();
        thread.cancel();
        assert!(thread.join().unwrap_err().is::<Cancelled>());
        assert_eq!(dropped.load(SeqCst), 1);

        let counted = Counted(dropped.clone());
        let late = cancel::timeout(Duration::from_millis(1), || {
            block_on(async move {
                let _counted = counted;
                pending::<()>().await;
            })
        });
        assert!(late.is_err());
        assert_eq!(dropped.load(SeqCst), 2);
        // Also one that is never pending for long.
        let late = cancel::timeout(Duration::from_millis(1), || block_on(yields(u32::MAX)));
        assert!(late.is_err());
        assert_eq!(block_on(ready(1)), 1);
    });
}

#[test]
fn a_panic_leaves_a_working_thread() {
    everywhere(|_| {
        let panic = std::panic::catch_unwind(|| {
            block_on(async {
                yields(1).await;
                std::panic::resume_unwind(Box::new("why"));
            })
        });
        assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"why"));
        block_on(yields(10));
    });
}

#[test]
fn in_destructors_and_without_yield() {
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            block_on(yields(2));
        }
    }
    std::thread_local!(static OS: Last = const { Last });
    greenthread::thread_local!(static GREEN: Last = const { Last });
    everywhere(|world| {
        world.spawn(|| GREEN.with(|_| ())).end();
        std::thread::spawn(|| OS.with(|_| block_on(yields(1)))).join().unwrap();
        thread::without_yield(|| block_on(yields(5)));
        let (sender, receiver) = channel::bounded(1);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(1));
            sender.send(3).unwrap();
        });
        assert_eq!(thread::without_yield(|| block_on(receiver.recv_async())), Ok(3));
        let unwound = std::panic::catch_unwind(|| {
            let _last = Last;
            std::panic::resume_unwind(Box::new(1));
        });
        assert!(unwound.is_err());
    });
}

#[test]
fn after_the_end_of_the_runtime() {
    let waker = Arc::new(Mutex::new(None::<Waker>));
    let theirs = waker.clone();
    let runtime = runtime(2);
    runtime.run(move || {
        block_on(poll_fn(|context| {
            *theirs.lock().unwrap() = Some(context.waker().clone());
            Poll::Ready(())
        }));
    });
    drop(runtime);
    let waker = waker.lock().unwrap().take().unwrap();
    waker.wake_by_ref();
    drop(waker.clone());
    waker.wake();
    block_on(yields(2));
}
