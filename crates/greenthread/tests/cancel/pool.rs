//! Calls on OS threads of the pool, whose callers are cancelled: a queued one never runs, and one
//! that has begun is waited for and gives its result.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use greenthread::{
    Runtime,
    cancel::{self, Cancelled},
    fs, thread,
};

use crate::common::world::{Random, time_limit};

const SHORT: Duration = Duration::from_millis(2);

/// A runtime with one thread in either lane of its pool.
fn narrow(workers: usize) -> Runtime {
    Runtime::builder().workers(workers).blocking_threads(1).disk_threads(1).build().unwrap()
}

/// A call that keeps the pool's thread busy until the sender is dropped.
fn busy(runtime: &Runtime) -> (mpsc::Sender<()>, thread::JoinHandle<()>) {
    let (end, ended) = mpsc::channel::<()>();
    let (begins, has_begun) = mpsc::channel();
    let thread = runtime.spawn(move || {
        thread::unblock(move || {
            begins.send(()).unwrap();
            _ = ended.recv();
        });
    });
    has_begun.recv().unwrap();
    (end, thread)
}

/// Says which OS thread has dropped it.
struct Dropped(mpsc::Sender<std::thread::ThreadId>);

impl Drop for Dropped {
    fn drop(&mut self) {
        _ = self.0.send(std::thread::current().id());
    }
}

#[test]
fn a_queued_call_never_runs() {
    let _limit = time_limit("a queued call".into());
    for by_deadline in [false, true] {
        let runtime = narrow(1);
        let (end, first) = busy(&runtime);
        let (sender, dropped) = mpsc::channel();
        let thread = runtime.spawn(move || {
            let me = std::thread::current().id();
            let closure = Dropped(sender);
            let call = move || {
                let _closure = &closure;
                panic!("it has run");
            };
            if by_deadline {
                assert!(cancel::timeout(SHORT, || thread::unblock::<_, ()>(call)).is_err());
            } else {
                thread::unblock::<_, ()>(call);
            }
            me
        });
        let on = if by_deadline {
            thread.join().unwrap()
        } else {
            std::thread::sleep(SHORT);
            thread.cancel();
            assert!(thread.join().unwrap_err().is::<Cancelled>());
            runtime.spawn(|| std::thread::current().id()).join().unwrap()
        };
        assert_eq!(dropped.recv().unwrap(), on, "the caller's thread has dropped the closure");
        drop(end);
        first.join().unwrap();
        assert_eq!(runtime.spawn(|| thread::unblock(|| 7)).join().unwrap(), 7, "the pool goes on");
    }
}

#[test]
fn a_call_that_has_begun_is_waited_for() {
    let _limit = time_limit("a call that has begun".into());
    for by_deadline in [false, true] {
        // On a busy machine the deadline may pass before the call begins.
        while !begin_and_cancel(by_deadline) {}
    }
}

/// Returns whether the call has begun.
fn begin_and_cancel(by_deadline: bool) -> bool {
    let runtime = narrow(1);
    let (begins, has_begun) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let (results, result) = mpsc::channel();
    let thread = runtime.spawn(move || {
        let call = move || {
            let text = String::from("borrowed");
            let borrowed = &text;
            let value = thread::unblock(move || {
                begins.send(()).unwrap();
                _ = ended.recv();
                borrowed.len()
            });
            results.send(value).unwrap();
            thread::park();
        };
        if by_deadline {
            return cancel::timeout(SHORT, call).is_err();
        }
        call();
        false
    });
    if has_begun.recv().is_err() {
        assert!(by_deadline && thread.join().unwrap());
        return false;
    }
    if !by_deadline {
        thread.cancel();
    }
    // Siblings run meanwhile, so the worker is not blocked.
    runtime.spawn(|| thread::sleep(SHORT * 3)).join().unwrap();
    assert!(!thread.is_finished() && result.try_recv().is_err());
    drop(end);
    assert_eq!(result.recv().unwrap(), 8);
    match thread.join() {
        Ok(elapsed) => assert!(by_deadline && elapsed),
        Err(payload) => assert!(!by_deadline && payload.is::<Cancelled>()),
    }
    true
}

#[test]
fn a_call_runs_once_or_never() {
    for workers in [1, 2] {
        let _limit = time_limit(format!("many calls with {workers} workers"));
        let runtime =
            Runtime::builder().workers(workers).blocking_threads(2).disk_threads(2).build().unwrap();
        let (ran, came) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let threads: Vec<_> = (0..40)
            .map(|seed| {
                let (ran, came) = (ran.clone(), came.clone());
                runtime.spawn(move || {
                    let mut random = Random::new(seed);
                    for round in 0..100_u64 {
                        let (limit, long) = (random.below(300), random.below(100));
                        let result = cancel::timeout(Duration::from_micros(limit), || {
                            let local = round;
                            thread::unblock(|| {
                                ran.fetch_add(1, SeqCst);
                                std::thread::sleep(Duration::from_micros(long));
                                local
                            })
                        });
                        if let Ok(value) = result {
                            assert_eq!(value, round);
                            came.fetch_add(1, SeqCst);
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(ran.load(SeqCst), came.load(SeqCst), "what has run has a result");
        assert!(came.load(SeqCst) > 0);
    }
}

#[test]
fn files_are_points_where_they_wait() {
    let _limit = time_limit("files".into());
    let runtime = narrow(1);
    let (sender, cancelled) = mpsc::channel::<()>();
    let thread = runtime.spawn(move || {
        cancelled.recv().unwrap();
        _ = fs::canonicalize(".");
        unreachable!("it was cancelled before");
    });
    thread.cancel();
    sender.send(()).unwrap();
    assert!(thread.join().unwrap_err().is::<Cancelled>());
}

/// Opening a FIFO waits for another party, on a thread of the pool: nothing ends that call.
#[cfg(unix)]
#[test]
fn an_open_that_has_begun_gives_its_file() {
    use std::{
        io::{Read, Write},
        os::unix::fs::OpenOptionsExt,
    };

    let _limit = time_limit("opening a FIFO".into());
    let path = crate::common::scratch("fifo");
    crate::common::dir::fifo(&path);
    let runtime = narrow(1);
    let mut has_begun = false;
    while !has_begun {
        let theirs = path.clone();
        let thread = runtime.spawn(move || {
            let file = fs::File::open(theirs).unwrap();
            cancel::shield(|| {
                let mut text = String::new();
                { file }.read_to_string(&mut text).unwrap();
                assert_eq!(text, "still read");
            });
            thread::park();
        });
        std::thread::sleep(SHORT);
        thread.cancel();
        // This end can be opened when the other one is being opened. On a busy machine the thread
        // may have been cancelled before.
        let mut options = std::fs::File::options();
        options.write(true).custom_flags(libc::O_NONBLOCK);
        while !has_begun && !thread.is_finished() {
            match options.open(&path) {
                Ok(mut end) => {
                    end.write_all(b"still read").unwrap();
                    has_begun = true;
                }
                Err(_) => std::thread::sleep(SHORT),
            }
        }
        assert!(thread.join().unwrap_err().is::<Cancelled>());
    }
    std::fs::remove_file(path).unwrap();
}
