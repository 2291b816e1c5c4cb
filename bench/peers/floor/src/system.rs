//! System calls.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::*};
use std::time::Duration;
use std::{ptr, thread};

use bench_common::{Args, Mark, Rounds, Span};

/// A system call that does nothing.
pub fn call(args: &Args) {
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        for _ in 0..args.n {
            // SAFETY: it only asks.
            unsafe { libc::syscall(libc::SYS_getppid) };
        }
        rounds.add(args.n, start.elapsed());
    }
    rounds.report("");
}

fn futex(word: &AtomicU32, operation: i32, value: u32) {
    let operation = operation | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word is there.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, ptr::null::<libc::timespec>()) };
}

/// Wakes an OS thread that sleeps: the time that the call takes (`call`), and the time until the
/// other one runs (`time`).
pub fn wake(args: &Args) {
    let (word, awake) = (AtomicU32::new(0), AtomicUsize::new(0));
    let (mut called, mut ran) = (Span::default(), Span::default());
    thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..args.n {
                while word.load(Acquire) as usize == i {
                    futex(&word, libc::FUTEX_WAIT, i as u32);
                }
                awake.store(i + 1, Release);
            }
        });
        for i in 0..args.n {
            thread::sleep(Duration::from_micros(300)); // it has gone to sleep
            let start = Mark::now();
            word.store(i as u32 + 1, Release);
            futex(&word, libc::FUTEX_WAKE, 1);
            called += start.elapsed();
            while awake.load(Acquire) == i {
                std::hint::spin_loop();
            }
            ran += start.elapsed();
        }
    });
    called.report("call", args.n, "");
    ran.report("time", args.n, "");
}

/// A send and a receive of `n` bytes, on each of `threads` connections in turn, in one OS thread
/// that never waits.
pub fn sockets(args: &Args) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("its address");
    let pair = |_| {
        let one = TcpStream::connect(address).expect("a connection");
        let (other, _) = listener.accept().expect("its other end");
        one.set_nodelay(true).expect("an option");
        (one, other)
    };
    let mut pairs: Vec<_> = (0..args.threads).map(pair).collect();
    let (message, mut buffer) = (vec![7; args.n], vec![0; args.n]);
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        for _ in 0..100 {
            for (one, _) in &mut pairs {
                one.write_all(&message).expect("a send");
            }
            for (_, other) in &mut pairs {
                other.read_exact(&mut buffer).expect("a receive");
            }
        }
        rounds.add(100 * args.threads, start.elapsed());
    }
    rounds.report("");
}
