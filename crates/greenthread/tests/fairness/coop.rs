//! A loop of calls that don't wait lets the siblings of its thread run, as the system does for
//! std's threads.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use greenthread::{
    channel::{self, Select, bounded, never, select, tick, unbounded},
    net::{TcpListener, UdpSocket},
    process::{Command, Stdio},
    sync::{
        Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, Semaphore, mpmc, mpsc, nonpoison, oneshot,
    },
    thread,
};

use crate::common::{everywhere, runtime};

/// Without the budget such a loop would never end.
const LONG: Duration = Duration::from_secs(30);

/// On one worker, calls `poll` until a sibling has run.
fn lets_siblings_run(what: &str, mut poll: impl FnMut()) {
    let ran = Arc::new(AtomicBool::new(false));
    let run = ran.clone();
    thread::spawn(move || run.store(true, SeqCst));
    let begin = Instant::now();
    while !ran.load(SeqCst) {
        poll();
        assert!(begin.elapsed() < LONG, "{what}: no sibling runs");
    }
}

#[test]
fn channels() {
    runtime(1).run(|| {
        let (s, r) = unbounded::<u32>();
        lets_siblings_run("try_recv", || assert!(r.try_recv().is_err()));
        lets_siblings_run("try_iter", || assert_eq!(r.try_iter().count(), 0));
        lets_siblings_run("is_empty", || assert!(r.is_empty()));
        lets_siblings_run("len", || assert_eq!(s.len(), 0));
        lets_siblings_run("recv_timeout", || assert!(r.recv_timeout(Duration::ZERO).is_err()));
        lets_siblings_run("send", || s.send(1).unwrap());
        while s.len() < 100_000 {
            s.send(1).unwrap();
        }
        let few = Cell::new(0);
        lets_siblings_run("recv", || few.set(few.get() + r.recv().unwrap()));
        assert!(few.get() < 10_000, "{few:?} messages");

        let (s, r) = bounded(100);
        lets_siblings_run("send and recv", || {
            s.send(1).unwrap();
            if s.is_full() {
                (0..99).for_each(|_| _ = r.recv());
            }
        });
        let (s, r) = bounded(1);
        s.send(1).unwrap();
        lets_siblings_run("try_send", || assert!(s.try_send(2).is_err()));
        lets_siblings_run("is_full", || assert!(r.is_full()));
        let timeout = Duration::ZERO;
        lets_siblings_run("send_timeout", || assert!(s.send_timeout(2, timeout).is_err()));
        let (s, _r) = bounded(0);
        lets_siblings_run("try_send from hand to hand", || assert!(s.try_send(2).is_err()));

        let never = never::<()>();
        lets_siblings_run("never", || assert!(never.try_recv().is_err()));
        lets_siblings_run("never, len", || assert!(never.is_empty()));
        let after = channel::after(2 * LONG);
        lets_siblings_run("after", || assert!(after.try_recv().is_err()));
        lets_siblings_run("after, len", || assert!(after.is_empty()));
        lets_siblings_run("after, timeout", || assert!(after.recv_timeout(timeout).is_err()));
        let tick = tick(Duration::ZERO);
        lets_siblings_run("tick", || assert!(tick.recv().is_ok()));
    });
}

#[test]
fn channels_of_std() {
    runtime(1).run(|| {
        let (s, r) = mpsc::channel();
        lets_siblings_run("mpsc, try_recv", || assert!(r.try_recv().is_err()));
        lets_siblings_run("mpsc, send", || s.send(1).unwrap());
        let (s, _r) = mpsc::sync_channel(1);
        s.send(1).unwrap();
        lets_siblings_run("mpsc, try_send", || assert!(s.try_send(2).is_err()));
        let (s, r) = mpmc::sync_channel(1);
        lets_siblings_run("mpmc, try_recv", || assert!(r.try_recv().is_err()));
        s.send(1).unwrap();
        lets_siblings_run("mpmc, try_send", || assert!(s.try_send(2).is_err()));
        let (_s, r) = oneshot::channel::<u32>();
        let mut receiver = Some(r);
        lets_siblings_run("oneshot", || match receiver.take().unwrap().try_recv() {
            Err(oneshot::TryRecvError::Empty(r)) => receiver = Some(r),
            other => panic!("{other:?}"),
        });
    });
}

#[test]
fn selects() {
    runtime(1).run(|| {
        let (full, r) = bounded(1);
        full.send(1).unwrap();
        let (_s, empty) = bounded::<u32>(0);
        lets_siblings_run("select!", || {
            select! {
                recv(empty) -> _ => unreachable!(),
                send(full, 2) -> _ => unreachable!(),
                default => {}
            }
        });
        let mut ops = Select::new();
        ops.recv(&empty);
        ops.send(&full);
        lets_siblings_run("try_select", || assert!(ops.try_select().is_err()));
        lets_siblings_run("try_ready", || assert!(ops.try_ready().is_err()));
        lets_siblings_run("select_timeout", || assert!(ops.select_timeout(Duration::ZERO).is_err()));
        lets_siblings_run("ready_timeout", || assert!(ops.ready_timeout(Duration::ZERO).is_err()));
        // A select of many channels takes long.
        let many: Vec<_> = (0..2_000).map(|_| channel::bounded::<()>(1)).collect();
        let looks = Cell::new(0);
        lets_siblings_run("a long select", || {
            let mut ops = Select::new_biased();
            for (s, r) in &many {
                ops.recv(r);
                ops.send(s);
            }
            assert_eq!(ops.ready(), 1);
            looks.set(looks.get() + 1);
        });
        assert!(looks.get() < 3, "{looks:?} looks");
        lets_siblings_run("nothing", || assert!(Select::new().try_select().is_err()));
        drop(r);
    });
}

#[test]
fn locks() {
    runtime(1).run(|| {
        let (mutex, rwlock, semaphore) = (Mutex::new(()), RwLock::new(()), Semaphore::new(1));
        let held = mutex.lock().unwrap();
        lets_siblings_run("Mutex::try_lock", || assert!(mutex.try_lock().is_err()));
        drop(held);
        let held = rwlock.write().unwrap();
        lets_siblings_run("RwLock::try_read", || assert!(rwlock.try_read().is_err()));
        lets_siblings_run("RwLock::try_write", || assert!(rwlock.try_write().is_err()));
        drop(held);
        let held = semaphore.acquire();
        lets_siblings_run("Semaphore::try_acquire", || assert!(semaphore.try_acquire().is_none()));
        lets_siblings_run("available_permits", || assert_eq!(semaphore.available_permits(), 0));
        lets_siblings_run("acquire_timeout", || {
            assert!(semaphore.acquire_timeout(Duration::ZERO).is_none());
        });
        drop(held);

        let (mutex, rwlock) = (nonpoison::Mutex::new(()), nonpoison::RwLock::new(()));
        let held = mutex.lock();
        lets_siblings_run("nonpoison::Mutex::try_lock", || assert!(mutex.try_lock().is_err()));
        drop(held);
        let held = rwlock.write();
        lets_siblings_run("nonpoison::RwLock::try_read", || assert!(rwlock.try_read().is_err()));
        lets_siblings_run("nonpoison::RwLock::try_write", || assert!(rwlock.try_write().is_err()));
        drop(held);

        let (once, cell, lazy) = (Once::new(), OnceLock::<u32>::new(), LazyLock::new(|| 7));
        lets_siblings_run("Once::is_completed", || assert!(!once.is_completed()));
        lets_siblings_run("OnceLock::get", || assert!(cell.get().is_none()));
        lets_siblings_run("LazyLock::get", || assert!(LazyLock::get(&lazy).is_none()));

        let (mutex, condvar) = (Mutex::new(()), Condvar::new());
        let mut guard = Some(mutex.lock().unwrap());
        lets_siblings_run("Condvar::wait_timeout", || {
            guard = Some(condvar.wait_timeout(guard.take().unwrap(), Duration::ZERO).unwrap().0);
        });
    });
}

#[test]
fn threads_and_the_clock() {
    runtime(1).run(|| {
        let parked = thread::spawn(thread::park);
        lets_siblings_run("is_finished", || assert!(!parked.is_finished()));
        parked.thread().unpark();
        let parked = thread::spawn_local(thread::park);
        lets_siblings_run("is_finished, local", || assert!(!parked.is_finished()));
        parked.thread().unpark();
        thread::scope(|s| {
            let parked = s.spawn(thread::park);
            lets_siblings_run("is_finished, scoped", || assert!(!parked.is_finished()));
            parked.thread().unpark();
        });
        lets_siblings_run("sleep", || thread::sleep(Duration::ZERO));
        lets_siblings_run("sleep_until", || thread::sleep_until(greenthread::time::Instant::now()));
        lets_siblings_run("park_timeout", || thread::park_timeout(Duration::ZERO));
    });
}

#[test]
fn the_system() {
    runtime(1).run(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        lets_siblings_run("recv", || assert!(socket.recv(&mut [0]).is_err()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        lets_siblings_run("accept", || assert!(listener.accept().is_err()));
        // It waits for input.
        let program = if cfg!(windows) { "cmd" } else { "cat" };
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let input = child.stdin.take();
        lets_siblings_run("try_wait", || assert!(child.try_wait().unwrap().is_none()));
        child.kill().unwrap();
        child.wait().unwrap();
        drop(input);
    });
}

#[cfg(unix)]
#[test]
fn signals() {
    use greenthread::signal::{SIGHUP, Signals};

    runtime(1).run(|| {
        let mut signals = Signals::new([SIGHUP]).unwrap();
        lets_siblings_run("pending", || assert!(signals.pending().next().is_none()));
    });
}

/// Two threads poll for what the other one does, as in eight of crossbeam-channel's own tests.
#[test]
fn both_sides_poll() {
    everywhere(|| {
        let (ask, asked) = unbounded();
        let (answer, answers) = unbounded();
        let child = thread::spawn(move || {
            let mut sum = 0;
            while sum < 6 {
                sum += answers.try_iter().sum::<i32>();
                let _ = ask.send(());
            }
        });
        asked.iter().take_while(|()| answer.send(2).is_ok()).for_each(drop);
        child.join().unwrap();
    });
}

/// Many threads only try, as in std's own tests of `Mutex` and `OnceLock`.
#[test]
fn everybody_polls() {
    everywhere(|| {
        let (mutex, cell, barrier) = (Mutex::new(0), OnceLock::new(), Barrier::new(16));
        let tries = AtomicUsize::new(0);
        thread::scope(|s| {
            for n in 0..16 {
                let (mutex, cell, barrier, tries) = (&mutex, &cell, &barrier, &tries);
                s.spawn(move || {
                    barrier.wait();
                    if n == 15 {
                        cell.set(n).unwrap();
                    }
                    let found = loop {
                        if let Some(found) = cell.get() {
                            break *found;
                        }
                    };
                    for _ in 0..100 {
                        let mut guard = loop {
                            tries.fetch_add(1, SeqCst);
                            if let Ok(guard) = mutex.try_lock() {
                                break guard;
                            }
                        };
                        *guard += found;
                        thread::yield_now();
                    }
                });
            }
        });
        assert_eq!(mutex.into_inner().unwrap(), 16 * 100 * 15);
    });
}

/// Inside `without_yield`, where nothing may switch, a poll does not yield.
#[test]
fn not_inside_without_yield() {
    runtime(1).run(|| {
        let ran = Arc::new(AtomicBool::new(false));
        let run = ran.clone();
        thread::spawn(move || run.store(true, SeqCst));
        let (s, r) = unbounded();
        let mutex = Mutex::new(());
        thread::without_yield(|| {
            let _held = mutex.lock().unwrap();
            for n in 0..10_000 {
                assert!(r.try_recv().is_err() || n != 0);
                assert!(mutex.try_lock().is_err());
                s.send(n).unwrap();
            }
            assert!(!ran.load(SeqCst));
        });
    });
}

/// A poll in a destructor, while its thread unwinds, may yield as a wait may: each panic stays with
/// its thread.
#[test]
fn while_unwinding() {
    struct Polls(mpsc::Receiver<()>);
    impl Drop for Polls {
        fn drop(&mut self) {
            lets_siblings_run("try_recv, unwinding", || _ = self.0.try_recv());
        }
    }
    runtime(1).run(|| {
        let threads: Vec<_> = (0..3_usize)
            .map(|n| {
                thread::spawn(move || {
                    let (_s, r) = mpsc::channel();
                    let _polls = Polls(r);
                    std::panic::resume_unwind(Box::new(n));
                })
            })
            .collect();
        for (n, thread) in threads.into_iter().enumerate() {
            assert_eq!(thread.join().unwrap_err().downcast_ref(), Some(&n));
        }
    });
}

/// Off the runtime nothing yields, and nothing is counted.
#[test]
fn on_an_os_thread() {
    let (s, r) = unbounded();
    for n in 0..10_000 {
        assert!(r.try_recv().is_err());
        s.send(n).unwrap();
        assert_eq!(r.try_recv(), Ok(n));
    }
}
