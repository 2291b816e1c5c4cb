//! Sleeps, children, handlers, cancellation, and calls from other threads.

use std::{
    io::Read,
    net::ToSocketAddrs,
    os::unix::{net::UnixStream, process::CommandExt},
    panic::catch_unwind,
    process::Command,
    sync::atomic::{AtomicI32, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

use greenthread_foreign::call;

use crate::{
    machine::{Need, lacks},
    on_one_worker, spawn,
};

/// A hundred sleeps of 50 ms take far less than five seconds.
#[test]
fn a_hundred_sleep_at_once() {
    on_one_worker(|| {
        let begin = Instant::now();
        let threads: Vec<_> = (0..100).map(|_| spawn(|| thread::sleep(Duration::from_millis(50)))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let elapsed = begin.elapsed();
        assert!(elapsed >= Duration::from_millis(50) && elapsed < Duration::from_secs(4), "{elapsed:?}");
    });
}

#[test]
fn children_are_waited_for() {
    on_one_worker(|| {
        let begin = Instant::now();
        let run = || {
            let out = Command::new("sh").args(["-c", "sleep 0.3; echo out"]).output().unwrap();
            assert_eq!(out.stdout, b"out\n");
            assert!(Command::new("true").status().unwrap().success());
        };
        let threads: Vec<_> = (0..20).map(|_| spawn(run)).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(begin.elapsed() < Duration::from_secs(5));
    });
}

/// The process has its users and groups in each OS thread, and the worker's is interrupted for it.
#[test]
fn users_are_set() {
    on_one_worker(|| {
        // SAFETY: the calls touch no memory, and change nothing.
        let sets = spawn(|| unsafe {
            (libc::setegid(libc::getegid()), libc::seteuid(libc::geteuid()), libc::seteuid(libc::uid_t::MAX))
        });
        let yields = spawn(|| (0..1000).for_each(|_| thread::yield_now()));
        assert_eq!(sets.join().unwrap(), (0, 0, -1));
        yields.join().unwrap();
        // In a child it is the child's only thread that sets them.
        // SAFETY: the call touches no memory.
        let user = unsafe { libc::getuid() };
        let status = spawn(move || Command::new("true").uid(user).status().unwrap());
        assert!(status.join().unwrap().success());
    });
}

#[test]
fn names_are_looked_up() {
    on_one_worker(|| {
        let found = spawn(|| "localhost:80".to_socket_addrs().unwrap().count());
        assert!(found.join().unwrap() > 0);
    });
}

/// A handler's call is the plain one: it finds nothing to read, though its thread could park.
#[test]
fn a_handler_does_not_park() {
    static FOUND: AtomicI32 = AtomicI32::new(-1);
    extern "C" fn handle(_: i32) {
        let now = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
        // SAFETY: the time is valid.
        let result = unsafe { libc::nanosleep(&raw const now, std::ptr::null_mut()) };
        FOUND.store(result, SeqCst);
    }
    on_one_worker(|| {
        let raises = spawn(|| {
            // SAFETY: the handler does only what a handler may.
            unsafe {
                libc::signal(libc::SIGUSR1, handle as *const () as usize);
                libc::raise(libc::SIGUSR1);
            }
            // The sibling has not run meanwhile.
            FOUND.swap(7, SeqCst)
        });
        let sibling = spawn(|| FOUND.store(100, SeqCst));
        assert_eq!(raises.join().unwrap(), 0);
        sibling.join().unwrap();
        // SAFETY: the action is a valid place to write to.
        let handler = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGUSR1, std::ptr::null(), &raw mut action);
            action.sa_sigaction
        };
        assert_eq!(handler, handle as *const () as usize);
    });
}

/// The child has none of the threads that wait, and their locks are free.
#[test]
fn a_child_is_forked_while_others_wait() {
    if lacks(&[Need::ThreadsAfterFork]) {
        return;
    }
    on_one_worker(|| {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let waits = spawn(move || receiver.recv().is_err());
        let forks = spawn(|| {
            thread::yield_now();
            // SAFETY: the child only uses locks, which are in order there, and ends at once.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let (sender, receiver) = std::sync::mpsc::channel();
                thread::spawn(move || sender.send(7));
                let seven = receiver.recv();
                // SAFETY: the call only ends the process.
                unsafe { libc::_exit(i32::from(seven != Ok(7))) };
            }
            let mut status = -1;
            // SAFETY: the call writes to `status`.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            status
        });
        assert_eq!(forks.join().unwrap(), 0);
        drop(sender);
        assert!(waits.join().unwrap());
    });
}

#[test]
fn a_cancelled_wait_is_an_error() {
    on_one_worker(|| {
        let (mut ours, _theirs) = UnixStream::pair().unwrap();
        let waits = spawn(move || {
            let error = ours.read(&mut [0]).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ECANCELED), "{error}");
            greenthread::thread::park();
        });
        greenthread::thread::yield_now();
        waits.cancel();
        assert!(waits.join().is_err());
    });
}

#[test]
fn one_call() {
    let mut number = 1;
    let add = |number: &mut i32| {
        call(|| {
            thread::sleep(Duration::from_millis(1));
            *number += 1;
        });
    };
    // On an OS thread, on a green one, and inside another call.
    add(&mut number);
    greenthread::run(|| {
        add(&mut number);
        call(|| add(&mut number));
        let caught = catch_unwind(|| call(|| -> () { std::panic::resume_unwind(Box::new(7)) }));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&7));
    });
    assert_eq!(number, 4);
}

#[test]
fn a_thousand_calls_at_once() {
    on_one_worker(|| {
        let begin = Instant::now();
        let threads: Vec<_> = (0..1000)
            .map(|_| greenthread::thread::spawn(|| call(|| thread::sleep(Duration::from_millis(20)))))
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(begin.elapsed() < Duration::from_secs(10));
    });
}
