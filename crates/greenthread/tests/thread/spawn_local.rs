//! `thread::spawn_local`: threads that stay on their parent's worker, and so may share what is not
//! `Send`.

use std::{
    cell::{Cell, RefCell},
    io::ErrorKind,
    panic::catch_unwind,
    rc::Rc,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use greenthread::thread::{self, Builder, LocalJoinHandle};
#[cfg(unix)]
use rustix::process::{Resource, Rlimit, setrlimit};

#[cfg(unix)]
use crate::common::machine::{Need, lacks};
use crate::common::{child, everywhere, is_child, runtime, text};

#[test]
fn local_threads_share_what_is_not_send_and_stay() {
    everywhere(|| {
        let os = std::thread::current().id();
        let log = Rc::new(RefCell::new(Vec::new()));
        // Other threads, for the workers to steal.
        let busy: Vec<_> = (0..100).map(|_| thread::spawn(thread::yield_now)).collect();
        let threads: Vec<LocalJoinHandle<Rc<u32>>> = (0..100)
            .map(|n| {
                let log = log.clone();
                thread::spawn_local(move || {
                    for _ in 0..3 {
                        assert_eq!(std::thread::current().id(), os);
                        log.borrow_mut().push(n);
                        thread::yield_now();
                    }
                    thread::sleep(Duration::from_micros(10));
                    assert_eq!(std::thread::current().id(), os);
                    Rc::new(n)
                })
            })
            .collect();
        for (n, thread) in threads.into_iter().enumerate() {
            assert_eq!(*thread.join().unwrap(), n as u32);
        }
        busy.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(log.borrow().len(), 300);
        assert_eq!(Rc::strong_count(&log), 1);
    });
}

#[test]
fn on_an_os_thread_it_says_what_is_wrong() {
    let error = Builder::new().spawn_local(|| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("OS thread"), "{error}");
    let panic = catch_unwind(|| thread::spawn_local(|| ())).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains("OS thread"));
    everywhere(|| {
        let kind = thread::unblock(|| Builder::new().spawn_local(|| ()).unwrap_err().kind());
        assert_eq!(kind, ErrorKind::Unsupported);
    });
}

#[test]
fn results_panics_names_and_handles() {
    everywhere(|| {
        let thread =
            Builder::new().name("near".into()).spawn_local(|| thread::current().name().map(str::len));
        let thread = thread.unwrap();
        assert_eq!(thread.thread().name(), Some("near"));
        assert!(format!("{thread:?}").starts_with("LocalJoinHandle"));
        while !thread.is_finished() {
            thread::yield_now();
        }
        assert_eq!(thread.join().unwrap(), Some(4));
        let panic = thread::spawn_local(|| std::panic::resume_unwind(Box::new(7))).join().unwrap_err();
        assert_eq!(*panic.downcast::<i32>().unwrap(), 7);
        let parked = thread::spawn_local(thread::park);
        parked.thread().unpark();
        parked.join().unwrap();
    });
}

#[test]
fn a_dropped_handle_detaches() {
    everywhere(|| {
        let done = Rc::new(Cell::new(false));
        drop(thread::spawn_local({
            let done = done.clone();
            move || {
                thread::yield_now();
                done.set(true);
            }
        }));
        while !done.get() {
            thread::yield_now();
        }
    });
}

#[test]
fn local_threads_get_their_turn_beside_busy_siblings() {
    static GO: AtomicBool = AtomicBool::new(true);
    for workers in [1, 2] {
        GO.store(true, SeqCst);
        runtime(workers).run(|| {
            // One thread spawns without end, and some only yield.
            let mut busy = vec![thread::spawn(|| {
                while GO.load(SeqCst) {
                    thread::spawn(|| ()).join().unwrap();
                }
            })];
            busy.extend((0..20).map(|_| {
                thread::spawn(|| {
                    while GO.load(SeqCst) {
                        thread::yield_now();
                    }
                })
            }));
            for _ in 0..200 {
                thread::spawn_local(thread::yield_now).join().unwrap();
            }
            // And the same with the roles exchanged.
            let local = thread::spawn_local(|| {
                while GO.load(SeqCst) {
                    thread::spawn_local(|| ()).join().unwrap();
                }
            });
            for _ in 0..200 {
                thread::spawn(thread::yield_now).join().unwrap();
            }
            GO.store(false, SeqCst);
            busy.into_iter().for_each(|thread| thread.join().unwrap());
            local.join().unwrap();
        });
    }
}

#[test]
fn without_yield_it_waits_for_its_turn() {
    runtime(1).run(|| {
        let ran = Rc::new(Cell::new(false));
        let inner = ran.clone();
        let thread = thread::without_yield(|| {
            let thread = thread::spawn_local(move || inner.set(true));
            thread::yield_now();
            assert!(!ran.get());
            thread
        });
        thread.join().unwrap();
        assert!(ran.get());
    });
}

#[test]
fn a_runtime_waits_for_its_local_threads() {
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    for workers in [1, 2, 8] {
        ENDED.store(0, SeqCst);
        let runtime = runtime(workers);
        runtime.run(|| {
            for _ in 0..50 {
                thread::spawn_local(|| {
                    thread::sleep(Duration::from_millis(1));
                    ENDED.fetch_add(1, SeqCst);
                });
            }
        });
        drop(runtime);
        assert_eq!(ENDED.load(SeqCst), 50);
    }
}

/// Local threads that find no stack wait for one, and stay on their worker.
#[cfg(unix)]
#[test]
fn local_threads_wait_for_a_stack() {
    if lacks(&[Need::OwnMemory]) {
        return;
    }
    if is_child() {
        runtime(2).run(|| {
            let os = std::thread::current().id();
            let most = Rc::new(Cell::new(0));
            let alive = Rc::new(Cell::new(0));
            // Enough stacks for some threads, but not for all at once.
            let stack = 64 << 20;
            let threads: Vec<_> = (0..200)
                .map_while(|_| {
                    let (alive, most) = (alive.clone(), most.clone());
                    let thread = Builder::new().stack_size(stack).spawn_local(move || {
                        assert_eq!(std::thread::current().id(), os);
                        alive.set(alive.get() + 1);
                        most.set(most.get().max(alive.get()));
                        (0..3).for_each(|_| thread::yield_now());
                        alive.set(alive.get() - 1);
                    });
                    thread.ok()
                })
                .collect();
            let spawned = threads.len();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            println!("spawned {spawned}, {} at once", most.get());
            assert!(spawned > most.get(), "the limit was not felt");
        });
        println!("came through");
        return;
    }
    let out = child(|command| {
        use std::os::unix::process::CommandExt;
        // SAFETY: the system call touches no memory of this process.
        unsafe {
            command.pre_exec(|| {
                // A quarter of the addresses that a 32-bit process has.
                let most = if usize::BITS == 64 { 4 << 30 } else { 1 << 30 };
                setrlimit(Resource::As, Rlimit { current: Some(most), maximum: Some(most) })?;
                Ok(())
            });
        }
    });
    assert!(out.status.success(), "{}", text(&out));
    assert!(text(&out).contains("came through"), "{}", text(&out));
}
