//! Several values of the user are dropped at once, and a destructor panics. As in std, the first
//! panic goes to the user, and the values after it are leaked. Nothing aborts.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use greenthread::{
    channel::{self, Select, select},
    sync::{Mutex, OnceLock, mpmc, mpsc, oneshot},
    thread,
};

use crate::common::everywhere;

/// Counts its drops, each of which panics.
struct Bad(Arc<AtomicUsize>);

impl Drop for Bad {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
        std::panic::resume_unwind(Box::new("in a destructor"));
    }
}

/// Drops what `make` makes with such values. There is one panic and one drop.
fn one_panic<T>(what: &str, make: impl FnOnce(&dyn Fn() -> Bad) -> T) {
    let count = Arc::new(AtomicUsize::new(0));
    let made = make(&|| Bad(count.clone()));
    let panic = catch_unwind(AssertUnwindSafe(|| drop(made))).expect_err(what);
    assert_eq!(panic.downcast_ref(), Some(&"in a destructor"), "{what}");
    assert_eq!(count.load(SeqCst), 1, "{what}");
}

/// As `one_panic`, for a channel with messages in it. The last receiver is dropped, after the
/// sender or before it.
macro_rules! channels {
    ($($channel:expr, $messages:expr;)*) => { $(
        one_panic(stringify!($channel), |bad| {
            let (s, r) = $channel;
            for _ in 0..$messages {
                assert!(s.send(bad()).is_ok());
            }
            r
        });
        one_panic(stringify!($channel), |bad| {
            let (s, r) = $channel;
            for _ in 0..$messages {
                assert!(s.send(bad()).is_ok());
            }
            (r, s)
        });
    )* };
}

fn all_channels() {
    channels! {
        mpsc::sync_channel(2), 2;
        mpsc::channel(), 100;
        mpmc::sync_channel(5), 3;
        mpmc::channel(), 2;
        channel::bounded(2), 2;
        channel::unbounded(), 2;
    }
    one_panic("oneshot", |bad| {
        let (s, r) = oneshot::channel();
        assert!(s.send(bad()).is_ok());
        r
    });
    // Messages around the end of the ring buffer.
    one_panic("wrapped", |bad| {
        let (s, r) = channel::bounded(3);
        (0..3).for_each(|_| assert!(s.send(bad()).is_ok()));
        (0..2).for_each(|_| std::mem::forget(r.recv().unwrap()));
        (0..2).for_each(|_| assert!(s.send(bad()).is_ok()));
        r
    });
}

#[test]
fn messages() {
    all_channels();
    everywhere(all_channels);
}

/// A channel whose messages were lost so is closed as any other, and its waiting threads are woken.
#[test]
fn waiting_senders_are_woken() {
    everywhere(|| {
        let count = Arc::new(AtomicUsize::new(0));
        let (s, r) = channel::bounded(2);
        (0..2).for_each(|_| assert!(s.send(Bad(count.clone())).is_ok()));
        let more = Bad(count.clone());
        let waits = thread::spawn(move || s.send(more).map_err(|error| std::mem::forget(error.into_inner())));
        thread::sleep(std::time::Duration::from_millis(10));
        assert!(catch_unwind(AssertUnwindSafe(|| drop(r))).is_err());
        assert_eq!(waits.join().unwrap(), Err(()));
        assert_eq!(count.load(SeqCst), 1);
    });
}

/// The program drops a message that a select has received, and gets back a message that was not
/// sent.
#[test]
fn of_a_select() {
    everywhere(|| {
        one_panic("select!", |bad| {
            let (s, r) = channel::bounded(2);
            (0..2).for_each(|_| assert!(s.send(bad()).is_ok()));
            select! { recv(r) -> message => std::mem::forget(message.unwrap()) }
            r
        });
        one_panic("Select", |bad| {
            let (s, r) = channel::bounded(2);
            assert!(s.send(bad()).is_ok());
            let mut ops = Select::new();
            ops.recv(&r);
            ops.select().recv(&r).unwrap()
        });
    });
}

#[test]
fn values_in_locks() {
    one_panic("Mutex", |bad| Mutex::new(bad()));
    one_panic("OnceLock", |bad| OnceLock::from(bad()));
}

/// A thread's result that is not taken. The hook reports the panic, and it goes no further.
#[test]
fn results_of_threads() {
    everywhere(|| {
        let count = Arc::new(AtomicUsize::new(0));
        let result = |count: &Arc<AtomicUsize>| {
            let count = count.clone();
            move || Bad(count)
        };
        let ended = thread::spawn(result(&count));
        while !ended.is_finished() {}
        drop(ended);
        drop(thread::spawn(result(&count)));
        thread::scope(|s| {
            s.spawn(result(&count));
            s.spawn(result(&count));
        });
        while count.load(SeqCst) < 4 {
            thread::yield_now();
        }
        let result = thread::spawn(result(&count)).join();
        assert!(catch_unwind(AssertUnwindSafe(|| drop(result))).is_err());
    });
}
