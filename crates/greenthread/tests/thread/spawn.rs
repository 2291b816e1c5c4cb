//! `thread` behaves as `std::thread`: what std's own tests check, on green threads and on OS
//! threads.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc::channel,
    },
    time::{Duration, Instant},
};

use greenthread::thread::{self, Builder, JoinHandle, ThreadId};
use greenthread_context::{Coroutine, State, Suspender};

use crate::common::{everywhere, runtime};

fn message(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<&str>() {
        Ok(text) => text.to_string(),
        Err(payload) => *payload.downcast::<String>().expect("a text"),
    }
}

#[test]
fn a_result_comes_back() {
    everywhere(|| assert_eq!(thread::spawn(|| 1 + 2).join().unwrap(), 3));
    assert_eq!(thread::spawn(|| 3).join().unwrap(), 3);
}

#[test]
fn names() {
    everywhere(|| {
        thread::spawn(|| assert_eq!(thread::current().name(), None)).join().unwrap();
        let named = Builder::new().name("ada lovelace".into());
        let named = named.spawn(|| assert_eq!(thread::current().name(), Some("ada lovelace"))).unwrap();
        assert_eq!(named.thread().name(), Some("ada lovelace"));
        named.join().unwrap();
    });
}

#[test]
fn the_caller_of_run_keeps_its_name() {
    let caller = std::thread::Builder::new().name("main".into());
    let on_os = caller.spawn(|| everywhere(|| assert_eq!(thread::current().name(), Some("main"))));
    on_os.unwrap().join().unwrap();

    everywhere(|| {
        let named = Builder::new().name("ada lovelace".into());
        let run = || assert_eq!(thread::current().name(), Some("ada lovelace"));
        named.spawn(move || greenthread::run(run)).unwrap().join().unwrap();
        thread::spawn(|| greenthread::run(|| assert_eq!(thread::current().name(), None))).join().unwrap();
    });
}

#[test]
fn a_name_with_a_nul_byte_panics() {
    let named = || Builder::new().name("fern\0moss".into());
    let panics = |spawn: &dyn Fn()| {
        let text = message(catch_unwind(AssertUnwindSafe(spawn)).unwrap_err());
        assert!(text.starts_with("thread name may not contain interior null bytes"), "{text}");
    };
    panics(&|| drop(named().spawn(|| ())));
    everywhere(|| {
        panics(&|| drop(named().spawn(|| ())));
        panics(&|| drop(named().spawn_local(|| ())));
        panics(&|| thread::scope(|s| drop(named().spawn_scoped(s, || ()))));
        // SAFETY: the closure borrows nothing.
        panics(&|| drop(unsafe { named().spawn_unchecked(|| ()) }));
    });
}

#[test]
fn ids_differ_and_stay() {
    everywhere(|| {
        let ids: HashSet<ThreadId> =
            (0..500).map(|_| thread::spawn(|| thread::current().id()).join().unwrap()).collect();
        assert_eq!(ids.len(), 500);
        let me = thread::current().id();
        thread::yield_now();
        assert_eq!(thread::current().id(), me);
        assert!(!ids.contains(&me));
    });
    let handle = thread::spawn(|| thread::current().id());
    let id = handle.thread().id();
    assert_eq!(handle.join().unwrap(), id);
}

#[test]
fn is_finished_tells() {
    everywhere(|| {
        let go = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let go = go.clone();
            move || {
                while !go.load(SeqCst) {
                    thread::yield_now();
                }
            }
        });
        assert!(!thread.is_finished());
        go.store(true, SeqCst);
        while !thread.is_finished() {
            thread::yield_now();
        }
        thread.join().unwrap();
    });
}

#[test]
fn a_detached_thread_goes_on_and_drops_its_result() {
    struct Flag(std::sync::mpsc::Sender<()>);
    impl Drop for Flag {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (tell, told) = channel();
    runtime(2).run(move || {
        drop(thread::spawn(move || {
            thread::yield_now();
            Flag(tell)
        }))
    });
    told.recv_timeout(Duration::from_secs(10)).unwrap();
}

#[test]
fn threads_spawn_threads() {
    fn tree(depth: u32) -> u64 {
        if depth == 0 {
            return 1;
        }
        let children: Vec<JoinHandle<u64>> = (0..3).map(|_| thread::spawn(move || tree(depth - 1))).collect();
        children.into_iter().map(|child| child.join().unwrap()).sum()
    }
    everywhere(|| assert_eq!(tree(6), 729));
}

#[test]
fn without_yield_keeps_siblings_out() {
    runtime(1).run(|| {
        let ran = Arc::new(AtomicBool::new(false));
        let sibling = thread::spawn({
            let ran = ran.clone();
            move || ran.store(true, SeqCst)
        });
        thread::without_yield(|| {
            (0..100).for_each(|_| thread::yield_now());
            thread::sleep(Duration::from_millis(2));
            thread::park_timeout(Duration::from_millis(2));
            assert_eq!(thread::unblock(|| 5), 5);
            assert!(!ran.load(SeqCst));
        });
        sibling.join().unwrap();
        assert!(ran.load(SeqCst));
        let caught = catch_unwind(|| thread::without_yield(|| resume_unwind(Box::new(()))));
        assert!(caught.is_err());
        thread::spawn(|| ()).join().unwrap();
    });
}

#[test]
fn without_yield_that_a_coroutine_takes_to_another_thread_ends_there() {
    std::thread_local! {
        static LEFT: RefCell<Option<Coroutine<(), (), ()>>> = const { RefCell::new(None) };
    }
    let runtime = runtime(1);
    let begin = || {
        let mut coroutine = Coroutine::new(|suspender: &Suspender<(), ()>, ()| {
            thread::without_yield(|| suspender.suspend(()))
        });
        assert!(matches!(coroutine.resume(()), State::Yielded(())));
        LEFT.set(Some(coroutine));
    };
    runtime.spawn(begin).join().unwrap();
    let end = || {
        let mut coroutine = LEFT.take().unwrap();
        assert!(matches!(coroutine.resume(()), State::Returned(())));
        // Suspended until its sibling has run. That one has no handle, so it can't run inline.
        let (sender, receiver) = std::sync::mpsc::channel();
        thread::spawn(move || sender.send(7));
        while receiver.try_recv().is_err() {
            thread::yield_now();
        }
    };
    runtime.spawn(end).join().unwrap();
}

#[test]
fn unblock_returns_panics_and_lets_others_run() {
    everywhere(|| {
        let steps = Arc::new(AtomicUsize::new(0));
        let sibling = thread::spawn({
            let steps = steps.clone();
            move || {
                while steps.load(SeqCst) == 0 {
                    thread::yield_now();
                }
                steps.store(2, SeqCst);
            }
        });
        let seen = thread::unblock({
            let steps = steps.clone();
            move || {
                steps.store(1, SeqCst);
                while steps.load(SeqCst) != 2 {
                    std::thread::yield_now();
                }
                "done"
            }
        });
        assert_eq!(seen, "done");
        sibling.join().unwrap();
        let caught = catch_unwind(|| thread::unblock(|| panic!("on the pool")));
        assert_eq!(message(caught.unwrap_err()), "on the pool");
    });
}

#[test]
fn a_started_thread_never_changes_its_os_thread() {
    thread_local!(static HERE: Cell<u64> = const { Cell::new(0) });
    let rt = runtime(4);
    rt.run(|| {
        let threads: Vec<_> = (1..200)
            .map(|n| {
                thread::spawn(move || {
                    let os = std::thread::current().id();
                    let address = HERE.with(|cell| std::ptr::from_ref(cell).addr());
                    for round in 0..50 {
                        HERE.set(n + round);
                        match round % 3 {
                            0 => thread::yield_now(),
                            1 => thread::sleep(Duration::from_micros(50)),
                            _ => thread::unblock(|| ()),
                        }
                        assert_eq!(std::thread::current().id(), os);
                        assert_eq!(HERE.with(|cell| std::ptr::from_ref(cell).addr()), address);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn big_closures_and_big_results() {
    everywhere(|| {
        let big = [7_u8; 10_000];
        let back = thread::spawn(move || {
            thread::yield_now();
            big
        });
        assert_eq!(back.join().unwrap()[9_999], 7);
        #[repr(align(64))]
        struct Aligned(u8);
        let aligned = Aligned(1);
        let back = thread::spawn(move || {
            assert_eq!(std::ptr::from_ref(&aligned).addr() % 64, 0);
            aligned
        });
        assert_eq!(back.join().unwrap().0, 1);
    });
}

#[test]
fn handles_are_send_and_sync_and_show_themselves() {
    fn both<T: Send + Sync>(_: &T) {}
    let handle = Builder::new().name("shown".into()).spawn(|| Cell::new(0)).unwrap();
    both(&handle);
    assert!(format!("{handle:?}").contains("shown"));
    assert!(format!("{:?}", thread::current()).contains("Os"));
    assert!(thread::available_parallelism().unwrap().get() >= 1);
    handle.join().unwrap();
}

#[test]
#[allow(deprecated, reason = "they are there because std has them")]
fn the_deprecated_ones() {
    let test = || {
        let start = Instant::now();
        thread::sleep_ms(2);
        thread::park_timeout_ms(2);
        assert!(start.elapsed() >= Duration::from_millis(4));
        thread::current().unpark();
        thread::park_timeout_ms(u32::MAX);
    };
    everywhere(test);
    test();
}

#[test]
fn spawn_unchecked_borrows() {
    everywhere(|| {
        let mut text = String::from("a");
        let borrowed = &mut text;
        // SAFETY: the thread is joined before `text` is dropped.
        let thread = unsafe {
            Builder::new().spawn_unchecked(move || {
                borrowed.push('b');
                borrowed.len()
            })
        };
        assert_eq!(thread.unwrap().join().unwrap(), 2);
        assert_eq!(text, "ab");
    });
}

#[test]
fn unblock_borrows_from_its_caller() {
    everywhere(|| {
        let mut bytes = [0_u8; 100];
        let text = String::from("from the stack");
        let length = thread::unblock(|| {
            bytes.fill(7);
            text.len()
        });
        assert_eq!((length, bytes), (14, [7; 100]));
        let caught = catch_unwind(AssertUnwindSafe(|| thread::unblock(|| resume_unwind(Box::new(bytes[0])))));
        assert_eq!(*caught.unwrap_err().downcast::<u8>().unwrap(), 7);
    });
}

#[test]
fn a_generation_does_not_need_its_parents() {
    fn generations(left: u32, done: std::sync::mpsc::Sender<u32>) {
        if left == 0 {
            done.send(16).unwrap();
        } else {
            thread::spawn(move || generations(left - 1, done));
        }
    }
    everywhere(|| {
        let (done, all) = channel();
        thread::spawn(move || generations(16, done));
        loop {
            match all.try_recv() {
                Ok(count) => break assert_eq!(count, 16),
                Err(_) => thread::sleep(Duration::from_micros(50)),
            }
        }
    });
}

#[test]
fn what_a_closure_owns_is_not_copied() {
    everywhere(|| {
        let boxed = Box::new(7);
        let here = std::ptr::from_ref(&*boxed).addr();
        let there = thread::spawn(move || std::ptr::from_ref(&*boxed).addr());
        assert_eq!(there.join().unwrap(), here);
        let f: Box<dyn FnOnce() -> usize + Send> = Box::new(move || here);
        assert_eq!(thread::spawn(f).join().unwrap(), here);
    });
}

/// Threads join each other's children: green threads join those of OS threads, and the other way
/// round.
#[test]
fn joins_between_green_threads_and_os_threads() {
    for workers in [1, 2, 8] {
        let rt = runtime(workers);
        let (send, receive) = channel::<JoinHandle<usize>>();
        let os: Vec<_> = (0..4)
            .map(|_| {
                let child = rt.spawn(|| {
                    thread::sleep(Duration::from_micros(100));
                    1
                });
                std::thread::spawn(move || child.join().unwrap())
            })
            .collect();
        rt.run(move || {
            for _ in 0..20 {
                let send = send.clone();
                thread::spawn(move || {
                    send.send(thread::spawn(|| {
                        thread::yield_now();
                        1
                    }))
                });
            }
        });
        assert_eq!(receive.into_iter().map(|child| child.join().unwrap()).sum::<usize>(), 20);
        assert_eq!(os.into_iter().map(|os| os.join().unwrap()).sum::<usize>(), 4);
    }
}
