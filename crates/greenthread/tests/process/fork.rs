//! A process that forks without `exec`: what works in the child, and what panics or returns an
//! error.

use std::{
    io::{Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    time::{Duration, Instant},
};

use greenthread::{
    Runtime,
    cancel::Token,
    net::{TcpListener, TcpStream},
    sync::Mutex,
    thread,
};

use crate::common::{
    child, is_child,
    machine::{Need, lacks},
    runtime, text,
};

/// Forks. The child calls `f`, and exits with 0 if that returns, else with 101. Returns the child's
/// exit status.
fn fork(f: impl FnOnce()) -> i32 {
    // SAFETY: the test is about what the child may call.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let status = if catch_unwind(AssertUnwindSafe(f)).is_ok() { 0 } else { 101 };
        // SAFETY: the call only ends the process.
        unsafe { libc::_exit(status) };
    }
    // The child drops what `f` owns.
    std::mem::forget(f);
    wait(child)
}

/// Waits for the child, for five minutes at most.
fn wait(child: libc::pid_t) -> i32 {
    let (mut status, begin) = (0, Instant::now());
    // SAFETY: the call writes to `status`, and this is a child of this process.
    while unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == 0 {
        if begin.elapsed() > Duration::from_secs(300) {
            // SAFETY: this is a child of this process.
            unsafe { libc::kill(child, libc::SIGKILL) };
            panic!("the child hangs");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(libc::WIFEXITED(status), "{status:x}");
    libc::WEXITSTATUS(status)
}

/// Runs the test in a process of its own. Otherwise the OS threads of other tests would vanish in
/// the child, with locks held.
fn alone(test: impl FnOnce()) {
    if is_child() {
        test();
        println!("came through");
        return;
    }
    let out = child(|_| {});
    let said = text(&out);
    assert!(out.status.success() && said.contains("came through"), "{said}");
}

/// The same for a test whose children start OS threads.
fn alone_with_threads(test: impl FnOnce()) {
    if !lacks(&[Need::ThreadsAfterFork]) {
        alone(test);
    }
}

fn works() {
    let threads: Vec<_> = (0..100)
        .map(|n| {
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(1));
                n
            })
        })
        .collect();
    assert_eq!(threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u32>(), 4950);
    greenthread::fs::read_dir("/").unwrap();
}

#[test]
fn the_child_has_a_default_runtime_of_its_own() {
    alone_with_threads(|| {
        greenthread::run(works);
        for _ in 0..10 {
            assert_eq!(fork(|| greenthread::run(works)), 0);
            assert_eq!(fork(works), 0);
        }
        // A child of a child.
        assert_eq!(fork(|| assert_eq!(fork(|| greenthread::run(works)), 0)), 0);
        greenthread::run(works);
    });
}

#[test]
fn a_new_runtime_in_the_child_works() {
    alone_with_threads(|| {
        let before = runtime(2);
        before.run(works);
        assert_eq!(fork(|| runtime(2).run(works)), 0);
        before.run(works);
    });
}

#[test]
fn a_runtime_of_the_parents_says_so() {
    alone(|| {
        let before = runtime(2);
        before.run(works);
        let status = fork(|| {
            let run = catch_unwind(AssertUnwindSafe(|| before.run(|| ())));
            let said = *run.unwrap_err().downcast::<String>().unwrap();
            assert!(said.contains("make a new runtime after the fork"), "{said}");
            assert!(catch_unwind(AssertUnwindSafe(|| before.spawn(|| ()))).is_err());
            // The drop does not wait for the parent's workers.
            drop(before);
        });
        assert_eq!(status, 0);
        let before = runtime(2);
        before.spawn(thread::park);
        assert_eq!(fork(|| assert!(!before.shutdown_timeout(Duration::from_secs(1000)))), 0);
    });
}

#[test]
fn to_join_a_thread_of_the_parents_panics() {
    alone(|| {
        let open = Arc::new(AtomicBool::new(false));
        let ended = thread::spawn(|| 5);
        while !ended.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let seen = open.clone();
        let parked = thread::Builder::new().name("at home".into()).spawn(move || {
            while !seen.load(SeqCst) {
                thread::park();
            }
        });
        let parked = parked.unwrap();
        let (parent, parked) = (parked.thread().clone(), Mutex::new(Some(parked)));
        let status = fork(|| {
            let parked = parked.lock().unwrap().take().unwrap();
            let joined = catch_unwind(AssertUnwindSafe(|| parked.join()));
            let said = *joined.unwrap_err().downcast::<String>().unwrap();
            assert!(said.contains("'at home'") && said.contains("forked"), "{said}");
            // A thread that ended before the fork can be joined.
            assert_eq!(ended.join().unwrap(), 5);
        });
        assert_eq!(status, 0);
        open.store(true, SeqCst);
        parent.unpark();
        parked.into_inner().unwrap().unwrap().join().unwrap();
    });
}

/// The child's only thread runs on a green thread's stack, and is an ordinary OS thread.
#[test]
fn a_green_thread_may_fork() {
    alone_with_threads(|| {
        runtime(2).run(|| {
            let siblings: Vec<_> = (0..10).map(|_| thread::spawn(thread::park)).collect();
            thread::sleep(Duration::from_millis(5));
            let status = fork(|| {
                // The child has no siblings.
                (0..10).for_each(|_| thread::yield_now());
                thread::sleep(Duration::from_millis(1));
                works();
                greenthread::run(works);
                siblings[0].thread().unpark();
            });
            assert_eq!(status, 0);
            siblings.iter().for_each(|sibling| sibling.thread().unpark());
            siblings.into_iter().for_each(|sibling| sibling.join().unwrap());
            works();
        });
    });
}

/// As with a thread that std has spawned and that forks: it is the only one in the child.
#[test]
fn when_the_thread_that_has_forked_returns_the_child_ends() {
    alone(|| {
        let child = runtime(1).run(|| {
            let forked = thread::spawn(|| {
                thread::yield_now();
                // SAFETY: the test is about what the child may call.
                unsafe { libc::fork() }
            });
            // By then the thread has started, on a stack of its own.
            thread::sleep(Duration::from_millis(5));
            forked.join().unwrap()
        });
        assert_ne!(child, 0);
        assert_eq!(wait(child), 0);
    });
}

#[test]
fn a_scope_whose_threads_are_the_parents_panics() {
    alone_with_threads(|| {
        greenthread::run(|| {
            let open = AtomicBool::new(false);
            let child = thread::scope(|scope| {
                let parked = scope.spawn(|| {
                    while !open.load(SeqCst) {
                        thread::park();
                    }
                });
                thread::yield_now();
                // SAFETY: the test is about what the child may call.
                let child = unsafe { libc::fork() };
                if child == 0 {
                    assert!(thread::Builder::new().spawn_scoped(scope, || ()).is_err());
                    let left = catch_unwind(AssertUnwindSafe(|| {
                        thread::scope(|inner| inner.spawn(works).join().unwrap());
                    }));
                    assert!(left.is_ok(), "a scope of the child's own works");
                    // Now the outer scope would wait. Its panic ends this thread, and so the
                    // process.
                    return 0;
                }
                open.store(true, SeqCst);
                parked.thread().unpark();
                child
            });
            assert_ne!(child, 0, "the scope returns in the child");
            assert_eq!(wait(child), 0);
        });
    });
}

/// A server that forks its workers, and a child that closes what it has inherited.
#[test]
fn sockets_of_the_parents_work_in_the_child_and_in_the_parent() {
    alone_with_threads(|| {
        greenthread::run(|| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            // The socket is registered with the parent's driver, since a thread has waited for it.
            let first = thread::spawn(move || TcpStream::connect(address).unwrap().write_all(b"p").unwrap());
            let (mut one, _) = listener.accept().unwrap();
            let mut byte = [0];
            one.read_exact(&mut byte).unwrap();
            first.join().unwrap();
            // SAFETY: the test is about what the child may call.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let served = greenthread::run(|| {
                    let client = thread::spawn(move || TcpStream::connect(address).unwrap().write_all(b"c"));
                    let (mut one, _) = listener.accept().unwrap();
                    let mut byte = [0];
                    one.read_exact(&mut byte).unwrap();
                    client.join().unwrap().unwrap();
                    byte
                });
                drop(listener);
                // SAFETY: the call only ends the process.
                unsafe { libc::_exit(if &served == b"c" { 0 } else { 1 }) };
            }
            assert_eq!(wait(child), 0);
            // The socket is still registered with the parent's driver.
            let (events, client) = (
                thread::spawn(move || listener.accept().map(drop)),
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(20));
                    TcpStream::connect(address).map(drop)
                }),
            );
            client.join().unwrap().unwrap();
            events.join().unwrap().unwrap();
        });
    });
}

/// Forks while other OS threads start and end threads.
#[test]
fn a_fork_at_any_moment_works() {
    alone_with_threads(|| {
        let busy = runtime(2);
        let stop = Arc::new(AtomicBool::new(false));
        let spawner = busy.spawn({
            let stop = stop.clone();
            move || {
                while !stop.load(SeqCst) {
                    let big =
                        |_| thread::Builder::new().stack_size(3 << 20).spawn(thread::yield_now).unwrap();
                    let threads: Vec<_> = (0..50).map(big).collect();
                    threads.into_iter().for_each(|thread| thread.join().unwrap());
                }
            }
        });
        for _ in 0..50 {
            assert_eq!(fork(|| runtime(1).run(|| thread::spawn(|| ()).join().unwrap())), 0);
        }
        stop.store(true, SeqCst);
        spawner.join().unwrap();
    });
}

/// The child's own panics are reported, even if threads of the parent were about to write a report.
#[test]
fn a_fork_among_panics_works() {
    if lacks(&[Need::UnwindingAfterFork]) {
        return;
    }
    alone_with_threads(|| {
        let rt = runtime(2);
        static STOP: AtomicBool = AtomicBool::new(false);
        let panics = || {
            while !STOP.load(SeqCst) {
                assert!(thread::spawn(|| panic!("the parent's")).join().is_err());
            }
        };
        let threads = [(); 2].map(|()| rt.run(|| thread::spawn(panics)));
        for _ in 0..200 {
            let status = fork(|| {
                greenthread::run(|| assert!(thread::spawn(|| panic!("the child's")).join().is_err()))
            });
            assert_eq!(status, 0);
        }
        STOP.store(true, SeqCst);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn commands_are_as_before() {
    use greenthread::{os::unix::process::CommandExt, process::Command};
    alone(|| {
        greenthread::run(|| {
            let mut command = Command::new("true");
            // SAFETY: the closure does nothing.
            unsafe { command.pre_exec(|| Ok(())) };
            assert!(command.status().unwrap().success());
            assert!(Command::new("true").status().unwrap().success());
            works();
        });
    });
}

/// A canceller, which is not in the child, may hold the lock of a list of scopes.
#[test]
fn a_scope_is_left_that_was_being_cancelled() {
    alone(|| {
        // Ten thousand stacks must find room in 32 bits.
        let runtime = Runtime::builder().workers(2).stack_size(128 << 10).build().unwrap();
        let token = Token::new();
        let (begin, begun) = mpsc::channel();
        for _ in 0..10_000 {
            let (token, begin) = (token.clone(), begin.clone());
            runtime.spawn(move || {
                token.run(|| {
                    begin.send(()).unwrap();
                    thread::park();
                })
            });
        }
        (0..10_000).for_each(|_| begun.recv().unwrap());
        let theirs = token.clone();
        let canceller = std::thread::spawn(move || theirs.cancel());
        let child = token.run(|| {
            while !token.is_cancelled() {
                std::hint::spin_loop();
            }
            // SAFETY: the child calls what it may call.
            unsafe { libc::fork() }
        });
        match child.unwrap() {
            // SAFETY: the call only ends the process.
            0 => unsafe { libc::_exit(0) },
            child => assert_eq!(wait(child), 0),
        }
        canceller.join().unwrap();
    });
}
