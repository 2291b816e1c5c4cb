//! Programs that break the axiom on which the crate rests, and programs that are sound but may
//! surprise ("Soundness" in the crate's documentation). These tests say what happens today, so that
//! a change is noticed. None of it is guaranteed.

mod common;

use std::{
    cell::{Cell, RefCell},
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use greenthread::thread;

use common::{
    child, is_child,
    machine::{Need, lacks},
    runtime, text,
};

/// Breaks the axiom: while the lazy initialiser of a thread-local waits, a sibling initialises the
/// same key.
#[test]
fn an_initialiser_that_blocks_runs_twice() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static SLOW: u32 = {
        RUNS.fetch_add(1, SeqCst);
        thread::yield_now();
        7
    });
    runtime(1).run(|| {
        let both = [0, 1].map(|_| thread::spawn(|| SLOW.with(|value| *value)));
        both.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), 7));
    });
    assert_eq!(RUNS.load(SeqCst), 2);
}

/// The remedy: inside `without_yield` no sibling runs.
#[test]
fn without_yield_closes_the_hole_of_the_initialiser() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static SLOW: u32 = {
        RUNS.fetch_add(1, SeqCst);
        thread::yield_now();
        7
    });
    runtime(1).run(|| {
        let look = || thread::without_yield(|| SLOW.with(|value| *value));
        let both = [0, 1].map(|_| thread::spawn(look));
        both.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), 7));
    });
    assert_eq!(RUNS.load(SeqCst), 1);
}

/// The other remedy: a thread-local of this crate, whose value no sibling shares.
#[test]
fn a_thread_local_of_ours_closes_the_hole_of_the_initialiser() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    greenthread::thread_local!(static SLOW: u32 = {
        RUNS.fetch_add(1, SeqCst);
        thread::yield_now();
        7
    });
    runtime(1).run(|| {
        let both = [0, 1].map(|_| {
            thread::spawn(|| {
                let first = SLOW.with(std::ptr::from_ref).addr();
                thread::yield_now();
                assert_eq!(SLOW.with(std::ptr::from_ref).addr(), first);
                SLOW.with(|value| *value)
            })
        });
        both.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), 7));
    });
    assert_eq!(RUNS.load(SeqCst), 2, "once for each thread");
}

/// Breaks the axiom for crates that rely on it: a stack of callers in a thread-local of std is not
/// last-in, first-out any more.
#[test]
fn a_stack_discipline_in_a_thread_local_is_mixed_up() {
    thread_local!(static STACK: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) });
    fn scoped(name: u32) -> Option<u32> {
        STACK.with_borrow_mut(|stack| stack.push(name));
        thread::yield_now();
        STACK.with_borrow_mut(Vec::pop)
    }
    runtime(1).run(|| {
        let both = [1, 2].map(|name| thread::spawn(move || (name, scoped(name))));
        let popped = both.map(|thread| thread.join().unwrap());
        assert!(popped.iter().any(|(pushed, popped)| Some(*pushed) != *popped), "{popped:?}");
    });
}

/// The remedy: in a thread-local of this crate each thread has its own stack of callers.
#[test]
fn a_stack_discipline_in_a_thread_local_of_ours_holds() {
    greenthread::thread_local!(static STACK: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) });
    fn scoped(name: u32) -> Option<u32> {
        STACK.with_borrow_mut(|stack| stack.push(name));
        thread::yield_now();
        STACK.with_borrow_mut(Vec::pop)
    }
    runtime(1).run(|| {
        let both = [1, 2].map(|name| thread::spawn(move || scoped(name)));
        assert_eq!(both.map(|thread| thread.join().unwrap()), [Some(1), Some(2)]);
    });
}

/// Breaks the axiom: thread-local destructors run during `process::exit`, and if they block,
/// siblings run.
#[test]
fn a_destructor_that_blocks_at_exit_lets_siblings_run() {
    struct Blocks;
    impl Drop for Blocks {
        fn drop(&mut self) {
            thread::yield_now();
        }
    }
    thread_local!(static BLOCKS: Blocks = const { Blocks });
    if lacks(&[Need::DestructorsAtExit]) {
        return;
    }
    if is_child() {
        runtime(1).run(|| {
            thread::spawn(|| {
                println!("a sibling runs");
                thread::park();
            });
            BLOCKS.with(|_| ());
            std::process::exit(3);
        });
    }
    let out = child(|_| {});
    assert_eq!(out.status.code(), Some(3), "{}", text(&out));
    assert!(text(&out).contains("a sibling runs"), "{}", text(&out));
}

/// Sound, but may surprise: siblings on a worker share std's thread-locals.
#[test]
fn siblings_share_std_thread_locals() {
    thread_local!(static SHARED: Cell<u32> = const { Cell::new(0) });
    runtime(1).run(|| {
        SHARED.set(1);
        thread::spawn(|| SHARED.set(SHARED.get() + 1)).join().unwrap();
        assert_eq!(SHARED.get(), 2);
    });
}

/// With a thread-local of this crate each thread has its own value.
#[test]
fn siblings_have_their_own_of_our_thread_locals() {
    greenthread::thread_local!(static OWN: Cell<u32> = const { Cell::new(0) });
    runtime(1).run(|| {
        OWN.set(1);
        let other = thread::spawn(|| {
            OWN.set(OWN.get() + 1);
            OWN.get()
        });
        assert_eq!((other.join().unwrap(), OWN.get()), (1, 1));
    });
}

/// Sound, but may surprise: a guard of std's mutex across a blocking call may stop the worker for
/// ever.
#[test]
fn a_std_mutex_held_across_a_wait_deadlocks_the_worker() {
    if is_child() {
        std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(500));
            println!("still waiting");
            std::process::exit(4);
        });
        runtime(1).run(|| {
            let mutex = Arc::new(Mutex::new(0));
            let inner = mutex.clone();
            let guard = mutex.lock().unwrap();
            let sibling = thread::spawn(move || drop(inner.lock()));
            thread::yield_now();
            drop(guard);
            sibling.join().unwrap();
            println!("came through");
        });
        return;
    }
    let out = child(|_| {});
    assert_eq!(out.status.code(), Some(4), "{}", text(&out));
    assert!(text(&out).contains("still waiting"), "{}", text(&out));
}

/// Sound, but may surprise: std's channels know nothing of green threads, and a thread that waits
/// for one blocks its whole worker. With this crate's channels the sibling goes on.
#[test]
fn what_waits_in_its_own_way_keeps_its_siblings_waiting() {
    let (later, theirs) = std::sync::mpsc::channel();
    let messenger = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        later.send(()).unwrap();
    });
    runtime(1).run(move || {
        let ran = Arc::new(AtomicUsize::new(0));
        let (end, ours) = greenthread::sync::mpsc::channel();
        let sibling = thread::spawn({
            let ran = Arc::clone(&ran);
            move || {
                ran.store(1, SeqCst);
                end.send(()).unwrap();
            }
        });
        theirs.recv().unwrap();
        assert_eq!(ran.load(SeqCst), 0);
        ours.recv().unwrap();
        assert_eq!(ran.load(SeqCst), 1);
        sibling.join().unwrap();
    });
    messenger.join().unwrap();
}

/// Sound, but may surprise: std's reentrant locks know OS threads, and let siblings in.
#[test]
fn stdout_lock_does_not_exclude_siblings() {
    runtime(1).run(|| {
        let mut lock = std::io::stdout().lock();
        let sibling = thread::spawn(|| std::io::stdout().lock().write_all(b"").is_ok());
        assert!(sibling.join().unwrap(), "the sibling had the lock while we hold it");
        lock.write_all(b"").unwrap();
    });
}

/// A thread with thread-locals of its own still shares what belongs to the OS thread: here, which
/// signals are blocked.
#[test]
#[cfg(unix)]
fn siblings_share_the_signal_mask() {
    /// Blocks a signal if `block`, and returns whether it was blocked before.
    fn mask(block: bool) -> bool {
        let how = if block { libc::SIG_BLOCK } else { libc::SIG_UNBLOCK };
        // SAFETY: the sets are valid places, and the calls write to nothing else.
        unsafe {
            let (mut set, mut old) = (std::mem::zeroed(), std::mem::zeroed());
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, libc::SIGUSR2);
            assert_eq!(libc::pthread_sigmask(how, &raw const set, &raw mut old), 0);
            libc::sigismember(&raw const old, libc::SIGUSR2) == 1
        }
    }
    if lacks(&[Need::OwnTls]) {
        return;
    }
    runtime(1).run(|| {
        let blocks = thread::Builder::new().own_tls(true).spawn(|| {
            mask(true);
            thread::yield_now();
        });
        thread::yield_now();
        assert!(mask(false), "the sibling's mask");
        blocks.unwrap().join().unwrap();
    });
}

/// An operation that was selected and is never completed keeps its place.
#[test]
fn a_forgotten_operation_keeps_its_place() {
    let (s, r) = greenthread::channel::bounded(1);
    let mut ops = greenthread::channel::Select::new();
    ops.send(&s);
    std::mem::forget(ops.select());
    assert!(r.is_empty());
    assert!(s.try_send(1).unwrap_err().is_full());
}

/// A receiver that a select has chosen for its message waits until the message is made, even beyond
/// its timeout.
#[test]
fn a_receiver_waits_for_a_slow_message() {
    let timeout = Duration::from_millis(50);
    runtime(1).run(|| {
        let (s, r) = greenthread::channel::bounded(0);
        let receiver = thread::spawn(move || {
            loop {
                if let Ok(message) = r.recv_timeout(timeout) {
                    return message;
                }
            }
        });
        let begin = std::time::Instant::now();
        greenthread::channel::select! {
            send(s, {
                thread::sleep(4 * timeout);
                assert!(!receiver.is_finished());
                assert!(s.try_send(timeout).unwrap_err().is_full());
                begin.elapsed()
            }) -> sent => sent.unwrap(),
        }
        assert!(receiver.join().unwrap() >= 4 * timeout);
    });
}
