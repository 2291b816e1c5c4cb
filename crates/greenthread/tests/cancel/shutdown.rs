//! `Runtime::shutdown_cancel`: whatever its threads do, they end.

use std::{
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use greenthread::{
    Runtime, cancel, channel,
    net::{TcpListener, TcpStream, UdpSocket},
    sync::{Condvar, Mutex, Semaphore},
    thread,
};

use crate::common::{
    worker_counts,
    world::{Counted, time_limit},
};

/// Longer than a test may take.
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(2);

#[track_caller]
fn each(test: impl Fn(Runtime)) {
    for workers in worker_counts(&[1, 2, 8]) {
        let _guard = time_limit(format!("{workers} workers, in {}", crate::common::test_name()));
        test(Runtime::builder().workers(workers).cancellable(true).build().unwrap());
    }
}

/// What threads do that don't end.
fn lives() -> Vec<fn()> {
    vec![
        thread::park,
        || thread::sleep(LONG),
        || loop {
            thread::yield_now();
        },
        || loop {
            cancel::checkpoint();
        },
        || {
            let (_sender, receiver) = channel::bounded::<()>(0);
            _ = receiver.recv();
        },
        || {
            let (sender, _receiver) = channel::bounded::<()>(0);
            _ = sender.send(());
        },
        || {
            let (_one, receiver) = channel::bounded::<()>(0);
            let (_two, other) = channel::bounded::<()>(0);
            channel::select! {
                recv(receiver) -> _ => {}
                recv(other) -> _ => {}
            }
        },
        || {
            let (lock, condvar) = (Mutex::new(()), Condvar::new());
            drop(condvar.wait(lock.lock().unwrap()));
        },
        || drop(Semaphore::new(0).acquire()),
        || _ = TcpListener::bind("127.0.0.1:0").unwrap().accept(),
        || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            _ = stream.read(&mut [0; 10]);
        },
        || _ = UdpSocket::bind("127.0.0.1:0").unwrap().recv(&mut [0; 10]),
        || loop {
            // The pool's call is waited for, and the next one does not begin.
            thread::unblock(|| std::thread::sleep(SHORT));
        },
        || _ = thread::spawn(thread::park).join(),
        || _ = thread::spawn_local(thread::park).join(),
        || thread::scope(|scope| _ = scope.spawn(thread::park)),
        || {
            _ = cancel::scope(|scope| {
                scope.spawn(|| Ok::<_, ()>(thread::park()));
                scope.spawn(|| cancel::scope(|scope| scope.spawn(|| Ok(thread::park())).join()));
                Ok(thread::park())
            });
        },
        || _ = cancel::timeout(LONG, thread::park),
        || _ = cancel::Token::new().run(thread::park),
    ]
}

/// Spawns a thread, detached, that has started when this returns.
fn start(runtime: &Runtime, life: impl FnOnce() + Send + 'static) {
    let (started, has_started) = mpsc::channel();
    drop(runtime.spawn(move || {
        started.send(()).unwrap();
        life();
    }));
    has_started.recv().unwrap();
}

#[test]
fn whatever_they_do_they_end() {
    each(|runtime| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let lives = lives();
        for _ in 0..5 {
            for life in &lives {
                let (counted, life) = (Counted(dropped.clone()), *life);
                // Detached, and some of them have not started when they are cancelled.
                drop(runtime.spawn(move || {
                    let _counted = counted;
                    life();
                }));
            }
        }
        std::thread::sleep(SHORT);
        assert_eq!(runtime.shutdown_cancel(SHORT, LONG), 0);
        assert_eq!(dropped.load(SeqCst), 5 * lives.len());
    });
}

#[test]
fn each_life_ends_alone() {
    for life in lives() {
        each(|runtime| {
            start(&runtime, life);
            std::thread::sleep(SHORT);
            assert_eq!(runtime.shutdown_cancel(Duration::ZERO, LONG), 0);
        });
    }
}

#[test]
fn unstarted_threads_are_cancelled() {
    each(|runtime| {
        let (begun, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (open, door) = mpsc::channel::<()>();
        let door = Arc::new(std::sync::Mutex::new(door));
        // They keep the workers: nothing else starts.
        for _ in 0..runtime.metrics().workers() {
            let door = door.clone();
            start(&runtime, move || thread::without_yield(|| _ = door.lock().unwrap().recv()));
        }
        for _ in 0..100 {
            let (begun, counted) = (begun.clone(), Counted(dropped.clone()));
            drop(runtime.spawn(move || {
                begun.fetch_add(1, SeqCst);
                thread::park();
                drop(counted);
            }));
        }
        assert_eq!(begun.load(SeqCst), 0);
        let closer = std::thread::spawn(move || runtime.shutdown_cancel(Duration::ZERO, LONG));
        std::thread::sleep(SHORT * 10);
        drop(open);
        assert_eq!(closer.join().unwrap(), 0);
        assert_eq!(dropped.load(SeqCst), 100);
    });
}

#[test]
fn who_ends_in_time_is_not_cancelled() {
    each(|runtime| {
        let (said, says) = mpsc::channel();
        for number in 0..50_u64 {
            let said = said.clone();
            drop(runtime.spawn(move || {
                thread::sleep(Duration::from_micros(number * 100));
                said.send(number).unwrap();
            }));
        }
        drop(said);
        assert_eq!(runtime.shutdown_cancel(LONG, Duration::ZERO), 0);
        assert_eq!(says.iter().count(), 50);
    });
}

#[test]
fn who_does_not_end_is_counted_and_goes_on() {
    each(|runtime| {
        let (said, says) = mpsc::channel();
        let (inside, are_inside) = mpsc::channel();
        let (open, door) = mpsc::channel::<()>();
        let (go, may_go) = channel::bounded::<()>(0);
        let (after, within) = (said.clone(), inside.clone());
        drop(runtime.spawn(move || {
            cancel::shield(|| {
                inside.send(()).unwrap();
                _ = may_go.recv();
            });
            said.send("shield").unwrap();
            thread::park();
            said.send("not reached").unwrap();
        }));
        drop(runtime.spawn(move || {
            thread::unblock(move || {
                within.send(()).unwrap();
                door.recv().unwrap_err();
            });
            after.send("unblock").unwrap();
            thread::park();
            after.send("not reached").unwrap();
        }));
        assert_eq!(are_inside.iter().take(2).count(), 2);
        assert_eq!(runtime.shutdown_cancel(Duration::ZERO, SHORT), 2);
        drop((go, open));
        let mut all: Vec<_> = says.iter().collect();
        all.sort_unstable();
        assert_eq!(all, ["shield", "unblock"]);
    });
}

#[test]
fn threads_that_are_spawned_in_the_grace_are_cancelled() {
    struct Spawns(Arc<AtomicUsize>);
    impl Drop for Spawns {
        fn drop(&mut self) {
            let counted = Counted(self.0.clone());
            drop(thread::spawn(move || {
                let _counted = counted;
                thread::park();
            }));
        }
    }
    each(|runtime| {
        let dropped = Arc::new(AtomicUsize::new(0));
        for _ in 0..20 {
            let spawns = Spawns(dropped.clone());
            drop(runtime.spawn(move || {
                let _spawns = spawns;
                thread::park();
            }));
        }
        assert_eq!(runtime.shutdown_cancel(Duration::ZERO, LONG), 0);
        assert_eq!(dropped.load(SeqCst), 20);
    });
}

#[test]
fn with_a_limit() {
    for workers in worker_counts(&[1, 2, 8]) {
        let _guard = time_limit(format!("{workers} workers"));
        let runtime = Runtime::builder().workers(workers).cancellable(true).max_threads(3).build().unwrap();
        for _ in 0..2 {
            start(&runtime, thread::park);
        }
        // It waits for a place.
        start(&runtime, || drop(thread::Builder::new().stack_size(1 << 16).spawn(thread::park)));
        assert_eq!(runtime.shutdown_cancel(SHORT, LONG), 0);
    }
}

#[test]
fn callers_of_all_kinds() {
    each(|runtime| {
        // A green thread of another runtime, in a world of its own.
        let other = Runtime::builder().workers(1).build().unwrap();
        start(&runtime, thread::park);
        assert_eq!(other.run(move || runtime.shutdown_cancel(SHORT, LONG)), 0);
    });
    each(|runtime| {
        // One of its own threads does not wait for itself.
        let (give, take) = mpsc::channel::<Runtime>();
        let (said, says) = mpsc::channel();
        start(&runtime, move || {
            let runtime = take.recv().unwrap();
            said.send(runtime.shutdown_cancel(Duration::ZERO, LONG)).unwrap();
            thread::park();
            said.send(0).unwrap();
        });
        give.send(runtime).unwrap();
        assert_eq!(says.iter().collect::<Vec<_>>(), [1]);
    });
}

#[test]
fn a_runtime_that_does_not_know_its_threads_says_so() {
    let panic = std::panic::catch_unwind(|| {
        let runtime = Runtime::builder().workers(1).build().unwrap();
        runtime.spawn(|| ()).join().unwrap();
        runtime.shutdown_cancel(SHORT, SHORT)
    })
    .unwrap_err();
    assert!(panic.downcast_ref::<&str>().unwrap().contains("cancellable(true)"));
}

#[test]
fn handles_still_work() {
    each(|runtime| {
        let joined = runtime.spawn(thread::park);
        let ended = runtime.spawn(|| 7);
        while !ended.is_finished() {
            std::thread::sleep(SHORT);
        }
        assert_eq!(runtime.shutdown_cancel(SHORT, LONG), 0);
        assert!(joined.join().unwrap_err().is::<cancel::Cancelled>());
        assert_eq!(ended.join().unwrap(), 7);
    });
}

/// A runtime cancels its threads one after the other. A scope whose threads were cancelled, and
/// whose own thread was not yet, is not complete.
#[test]
fn a_scope_whose_threads_were_cancelled_does_not_succeed() {
    each(|runtime| {
        let result = catch_unwind(AssertUnwindSafe(|| {
            cancel::scope(|s| {
                runtime.run(|| drop(s.spawn(|| Ok::<_, ()>(thread::park()))));
                assert_eq!(runtime.shutdown_cancel(Duration::ZERO, LONG), 0);
                Ok("complete")
            })
        }));
        assert!(result.unwrap_err().is::<cancel::Cancelled>());
    });
}

/// What is shielded, or is done in a destructor, needs its threads.
#[test]
fn threads_of_a_scope_in_a_shield_or_a_destructor_complete() {
    fn work(begun: &mpsc::Sender<()>) {
        let result = cancel::scope(|s| {
            let thread = s.spawn(|| {
                begun.send(()).unwrap();
                thread::sleep(SHORT);
                Ok::<_, ()>(7)
            });
            thread.join()
        });
        assert_eq!(result, Ok(7));
    }
    struct Late(mpsc::Sender<()>, Arc<AtomicUsize>);
    impl Drop for Late {
        fn drop(&mut self) {
            work(&self.0);
            self.1.fetch_add(1, SeqCst);
        }
    }
    each(|runtime| {
        let done = Arc::<AtomicUsize>::default();
        let (begun, begins) = mpsc::channel();
        let late = Late(begun.clone(), Arc::clone(&done));
        runtime.spawn(move || {
            let _late = late;
            thread::park();
        });
        let shielded = Arc::clone(&done);
        runtime.spawn(move || {
            cancel::shield(|| work(&begun));
            shielded.fetch_add(1, SeqCst);
        });
        begins.recv().unwrap();
        assert_eq!(runtime.shutdown_cancel(Duration::ZERO, LONG), 0);
        assert_eq!(done.load(SeqCst), 2);
    });
}
