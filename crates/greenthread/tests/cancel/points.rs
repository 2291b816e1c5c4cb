//! Each wait ends when its thread is cancelled, by a deadline, a token, a scope or its handle, and
//! leaves nothing behind.

use std::{
    io::Read,
    sync::{Arc, mpsc},
    time::Duration,
};

use greenthread::{
    cancel::{self, Cancelled, Token},
    channel, net, sync, thread,
};

use crate::common::world::everywhere;
#[cfg(target_os = "linux")]
use crate::common::{
    child,
    filter::{refuse, refuse_flag},
    is_child,
    machine::{Need, lacks},
    text,
};

/// Long enough for a test that fails, and too long for one that passes.
const LONG: Duration = Duration::from_secs(120);
const SHORT: Duration = Duration::from_millis(2);

/// A wait that nothing ends.
pub(super) type Wait = Box<dyn FnOnce() + Send>;

fn waits() -> Vec<(&'static str, Wait)> {
    let mut waits: Vec<(&'static str, Wait)> = Vec::new();
    let mut add = |name, wait: Wait| waits.push((name, wait));
    add("park", Box::new(thread::park));
    add("park_timeout", Box::new(|| thread::park_timeout(LONG)));
    add("sleep", Box::new(|| thread::sleep(LONG)));
    add("join", {
        Box::new(|| {
            let (started, has_started) = channel::bounded(1);
            let thread = thread::spawn(move || {
                _ = started.send(());
                thread::sleep(Duration::from_millis(300));
            });
            // Unstarted, it would run on the joiner's own stack.
            has_started.recv().unwrap();
            _ = thread.join();
        })
    });
    add(
        "yield",
        Box::new(|| {
            loop {
                thread::yield_now()
            }
        }),
    );
    add(
        "checkpoint",
        Box::new(|| {
            loop {
                cancel::checkpoint()
            }
        }),
    );
    add("recv", {
        let (sender, receiver) = channel::bounded::<()>(1);
        Box::new(move || {
            let _sender = sender;
            _ = receiver.recv();
        })
    });
    add("recv_timeout", {
        let (sender, receiver) = channel::unbounded::<()>();
        Box::new(move || {
            let _sender = sender;
            _ = receiver.recv_timeout(LONG);
        })
    });
    add("send", {
        let (sender, receiver) = channel::bounded(1);
        sender.send(Box::new(1)).unwrap();
        Box::new(move || {
            let _receiver = receiver;
            _ = sender.send(Box::new(2));
        })
    });
    add("rendezvous", {
        let (sender, receiver) = channel::bounded(0);
        Box::new(move || {
            let _receiver = receiver;
            _ = sender.send(Box::new(2));
        })
    });
    add("select", {
        let (one, first) = channel::bounded::<u32>(1);
        let (two, second) = channel::bounded::<u32>(0);
        Box::new(move || {
            let _ends = (one, second);
            greenthread::channel::select! {
                recv(first) -> _ => (),
                send(two, 1) -> _ => (),
            }
        })
    });
    add("mpsc", {
        let (sender, receiver) = sync::mpsc::channel::<()>();
        Box::new(move || {
            let _sender = sender;
            _ = receiver.recv();
        })
    });
    add("condvar", {
        Box::new(|| {
            let (mutex, condvar) = (sync::Mutex::new(()), sync::Condvar::new());
            let guard = mutex.lock().unwrap();
            drop(condvar.wait_while(guard, |()| true));
        })
    });
    add("barrier", Box::new(|| _ = sync::Barrier::new(2).wait()));
    add("semaphore", Box::new(|| drop(sync::Semaphore::new(1).acquire_many(2))));
    add("wait group", {
        let group = sync::WaitGroup::new();
        Box::new(move || {
            let _member = group.clone();
            group.wait();
        })
    });
    add("accept", Box::new(|| _ = net::TcpListener::bind("127.0.0.1:0").unwrap().accept()));
    add("read", {
        Box::new(|| {
            let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
            let _client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            _ = listener.accept().unwrap().0.read(&mut [0]);
        })
    });
    waits.extend(super::io::waits());
    waits
}

/// Says that a thread has left its frames.
struct Left(mpsc::Sender<()>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.send(()).unwrap();
    }
}

#[test]
fn a_handle_cancels_every_wait() {
    for workers in [1, 2] {
        let runtime = greenthread::Runtime::builder().workers(workers).build().unwrap();
        for (name, wait) in waits() {
            for delay in [Duration::ZERO, SHORT] {
                let (sender, left) = mpsc::channel();
                let Some((_, wait)) = waits().into_iter().find(|it| it.0 == name) else { continue };
                let thread = runtime.spawn(move || {
                    let _left = Left(sender);
                    wait();
                });
                std::thread::sleep(delay);
                thread.cancel();
                let payload = thread.join().expect_err(name);
                assert!(payload.is::<Cancelled>(), "{name}");
                left.recv().unwrap();
            }
            drop(wait);
        }
    }
}

#[test]
fn a_deadline_ends_every_wait() {
    deadlines();
}

/// Kernels before 6.5 have no such calls for pipes. FIFOs never have.
#[test]
#[cfg(target_os = "linux")]
fn every_wait_ends_where_calls_without_waiting_are_refused() {
    without_waiting_is_refused(false);
}

/// Then only calls that wait are left, as on macOS.
#[test]
#[cfg(target_os = "linux")]
fn every_wait_ends_where_pipes_cannot_be_opened_anew() {
    without_waiting_is_refused(true);
}

#[cfg(target_os = "linux")]
fn without_waiting_is_refused(opening_too: bool) {
    use std::os::unix::fs::OpenOptionsExt;
    if lacks(&[Need::Filters]) {
        return;
    }
    if !is_child() {
        let out = child(|_| {});
        assert!(out.status.success(), "{}", text(&out));
        return;
    }
    [libc::SYS_preadv2, libc::SYS_pwritev2].iter().for_each(|call| refuse(*call, libc::EOPNOTSUPP));
    if opening_too {
        refuse_flag(libc::SYS_openat, 2, libc::O_NONBLOCK, libc::EACCES);
        let open = |flags| {
            std::fs::OpenOptions::new()
                .read(true)
                .custom_flags(flags)
                .open("/dev/null")
                .map_err(|error| error.kind())
        };
        assert!(
            open(0).is_ok() && open(libc::O_NONBLOCK).unwrap_err() == std::io::ErrorKind::PermissionDenied
        );
    }
    deadlines();
    for seed in 0..4 {
        super::io::pipes(seed);
        crate::common::runtime(2).run(|| super::io::pipes(seed));
    }
}

fn deadlines() {
    everywhere(|world| {
        for (name, wait) in waits() {
            world
                .spawn(move || {
                    assert!(cancel::timeout(SHORT, wait).is_err(), "{name}");
                    assert!(!cancel::is_cancelled());
                    thread::sleep(Duration::from_micros(1));
                })
                .end();
        }
    });
}

#[test]
fn a_token_ends_every_wait() {
    everywhere(|world| {
        for (name, wait) in waits() {
            let token = Token::new();
            let theirs = token.clone();
            let waiting = world.spawn(move || assert!(theirs.run(wait).is_err(), "{name}"));
            std::thread::sleep(SHORT);
            token.cancel();
            waiting.end();
        }
    });
}

#[test]
fn a_failing_thread_ends_every_wait_of_its_scope() {
    everywhere(|world| {
        for (name, wait) in waits() {
            world
                .spawn(move || {
                    let result = cancel::scope(|scope| {
                        scope.spawn(move || Ok(wait()));
                        scope.spawn(|| {
                            thread::sleep(SHORT);
                            Err::<(), _>(name)
                        });
                        Ok(())
                    });
                    assert_eq!(result, Err(name));
                })
                .end();
        }
    });
}

#[test]
fn locks_are_no_points() {
    let mutex = Arc::new(sync::Mutex::new(0));
    let guard = mutex.lock().unwrap();
    let theirs = mutex.clone();
    let (sender, locked) = mpsc::channel();
    let thread = thread::spawn(move || {
        let guard = theirs.lock().unwrap();
        sender.send(()).unwrap();
        drop(guard);
        thread::park();
    });
    std::thread::sleep(SHORT);
    thread.cancel();
    assert!(locked.recv_timeout(Duration::from_millis(20)).is_err());
    drop(guard);
    locked.recv().unwrap();
    assert!(thread.join().is_err());
    assert!(!mutex.is_poisoned());
}
