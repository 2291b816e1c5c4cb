//! Where several of the user's values are dropped at once, a destructor that panics is the user's
//! panic, as in std: the first one is let out, and what comes after it is leaked. Nothing aborts.

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

/// Drops what `make` makes out of some of these: there is one panic, and one drop.
fn one_panic<T>(what: &str, make: impl FnOnce(&dyn Fn() -> Bad) -> T) {
    let count = Arc::new(AtomicUsize::new(0));
    let made = make(&|| Bad(count.clone()));
    let panic = catch_unwind(AssertUnwindSafe(|| drop(made))).expect_err(what);
    assert_eq!(panic.downcast_ref(), Some(&"in a destructor"), "{what}");
    assert_eq!(count.load(SeqCst), 1, "{what}");
}

/// As `one_panic`, for a channel: with so many messages in it the last receiver goes, after the
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
    // Around the ring's end.
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

/// A channel whose messages were lost so is closed as any other; those who wait at it are woken.
#[test]
fn who_waits_to_send_is_woken() {
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

/// What a select has received is dropped by the program, and what it was to send comes back.
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

/// A result that nobody takes has nobody to tell: the panic is reported by the hook, and goes no
/// further.
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
