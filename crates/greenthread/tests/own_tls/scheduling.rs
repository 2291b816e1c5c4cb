//! Such threads among others.

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use greenthread::{
    cancel,
    sync::{Mutex, mpsc},
    thread::{self, Builder, yield_now},
};

use crate::{
    common::{everywhere, runtime},
    has_none, spawn,
};

thread_local!(static VALUE: Cell<u64> = const { Cell::new(0) });

/// Both kinds meet at locks, channels, sleeps and joins, on one worker and on several.
#[test]
fn both_kinds_mix() {
    if has_none() {
        return;
    }
    everywhere(|| {
        let count = Arc::new(Mutex::new(0));
        let (sender, receiver) = mpsc::channel();
        let threads: Vec<_> = (1..=200)
            .map(|number: u64| {
                let (count, sender) = (count.clone(), sender.clone());
                let own_tls = number.is_multiple_of(3);
                let body = move || {
                    VALUE.set(if own_tls { number } else { 0 });
                    for step in 0..10 {
                        let mut guard = count.lock().unwrap();
                        *guard += 1;
                        if step % 4 == 0 {
                            yield_now();
                        }
                        drop(guard);
                        if step == 5 {
                            thread::sleep(Duration::from_micros(number));
                        }
                        sender.send(number).unwrap();
                        let child = thread::spawn(|| VALUE.get());
                        if own_tls {
                            assert_eq!(child.join().unwrap(), 0);
                            assert_eq!(VALUE.get(), number);
                        }
                    }
                };
                Builder::new().own_tls(own_tls).spawn(body).unwrap()
            })
            .collect();
        drop(sender);
        assert_eq!(receiver.iter().sum::<u64>(), 10 * (1..=200).sum::<u64>());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*count.lock().unwrap(), 2000);
    });
}

/// The joiner's thread-locals are not the child's, whichever of them has its own.
#[test]
fn a_joiner_and_its_child_have_each_their_own() {
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        VALUE.set(1);
        for joiner in [false, true] {
            for child in [false, true] {
                let thread = Builder::new().own_tls(joiner).spawn(move || {
                    VALUE.set(if joiner { 2 } else { 1 });
                    let inner = Builder::new().own_tls(child).spawn(|| {
                        let value = VALUE.get();
                        yield_now();
                        (value, VALUE.get())
                    });
                    let expected = if child { 0 } else { 1 };
                    assert_eq!(inner.unwrap().join().unwrap(), (expected, expected));
                    VALUE.get()
                });
                assert_eq!(thread.unwrap().join().unwrap(), if joiner { 2 } else { 1 });
            }
        }
        assert_eq!(VALUE.get(), 1);
    });
}

/// What is not `Send` stays with the thread-locals that it may belong to.
#[test]
fn local_threads_are_refused() {
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        let refused = Builder::new().own_tls(true).spawn_local(|| Rc::new(1)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::Unsupported);
        let kind = spawn(|| Builder::new().spawn_local(|| ()).unwrap_err().kind());
        assert_eq!(kind.join().unwrap(), io::ErrorKind::Unsupported);
    });
}

/// Unstarted threads are stolen as others are.
#[test]
fn they_are_stolen() {
    if has_none() {
        return;
    }
    let workers = runtime(4).run(|| {
        let threads: Vec<_> = (0..200)
            .map(|_| {
                spawn(|| {
                    std::thread::sleep(Duration::from_millis(1));
                    // SAFETY: the call has no precondition.
                    #[cfg(target_os = "linux")]
                    return unsafe { libc::syscall(libc::SYS_gettid) };
                    #[cfg(not(target_os = "linux"))]
                    0
                })
            })
            .collect();
        let mut workers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        workers.sort_unstable();
        workers.dedup();
        workers.len()
    });
    assert!(workers > 1);
}

#[test]
fn a_scope_borrows() {
    if has_none() {
        return;
    }
    runtime(2).run(|| {
        let text = String::from("borrowed");
        let length = thread::scope(|scope| {
            let thread = Builder::new().own_tls(true).spawn_scoped(scope, || {
                yield_now();
                text.len()
            });
            thread.unwrap().join().unwrap()
        });
        assert_eq!(length, 8);
    });
}

#[test]
fn they_are_cancelled() {
    struct Notes(Arc<AtomicUsize>);
    impl Drop for Notes {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    thread_local!(static NOTES: RefCell<Option<Notes>> = const { RefCell::new(None) });
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let notes = dropped.clone();
        let thread = spawn(move || {
            NOTES.set(Some(Notes(notes.clone())));
            let _frame = Notes(notes);
            thread::park();
        });
        yield_now();
        thread.cancel();
        assert!(thread.join().is_err());
        assert_eq!(dropped.load(SeqCst), 2);

        let short = spawn(|| {
            let long = || thread::sleep(Duration::from_secs(1000));
            cancel::timeout(Duration::from_millis(5), long).is_err()
        });
        assert!(short.join().unwrap());
    });
}

#[test]
fn ten_thousand_at_once() {
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        let (sender, receiver) = mpsc::channel::<()>();
        let receiver = Arc::new(Mutex::new(receiver));
        let threads: Vec<_> = (0..10_000)
            .map(|number| {
                let receiver = receiver.clone();
                spawn(move || {
                    VALUE.set(number);
                    let text = format!("thread {number}");
                    _ = receiver.lock().unwrap().recv();
                    assert_eq!(text, format!("thread {}", VALUE.get()));
                })
            })
            .collect();
        drop(sender);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Blocks are used again, and what std keeps for a thread is freed.
#[test]
#[cfg(target_os = "linux")]
fn threads_that_come_and_go_leave_no_memory_behind() {
    thread_local!(static LARGE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });
    if has_none() {
        return;
    }
    let round = |threads: usize| {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                spawn(|| {
                    LARGE.with_borrow_mut(|large| large.resize(10_000, 1));
                    assert!(std::thread::current().name().is_none());
                    yield_now();
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    };
    runtime(1).run(move || {
        (0..50).for_each(|_| round(20));
        let before = crate::common::status("VmRSS");
        (0..1000 / crate::common::slowness()).for_each(|_| round(20));
        let grown = crate::common::status("VmRSS").saturating_sub(before);
        assert!(grown < 2000, "{grown} KiB more");
    });
}
