//! `thread` behaves as `std::thread`: what std's own tests check, on green threads and on OS threads.

mod common;

use std::{
    any::Any,
    cell::Cell,
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc::channel,
    },
    time::{Duration, Instant},
};

use common::{everywhere, runtime};
use greenthread::thread::{self, Builder, JoinHandle, ThreadId};

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
fn who_runs_something_keeps_its_name() {
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
fn a_name_with_a_zero_byte_is_a_name() {
    let thread = Builder::new().name("a\0b".into()).spawn(|| thread::current().name().map(str::len)).unwrap();
    assert_eq!(thread.join().unwrap(), Some(3));
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
fn a_panic_goes_to_the_joiner() {
    everywhere(|| {
        let text = thread::spawn(|| panic!("static")).join().unwrap_err();
        assert_eq!(message(text), "static");
        let text = thread::spawn(|| panic!("number {}", 7)).join().unwrap_err();
        assert_eq!(message(text), "number 7");
        let any = thread::spawn(|| resume_unwind(Box::new(juju()))).join().unwrap_err();
        assert_eq!(*any.downcast::<u16>().unwrap(), 413);
        fn juju() -> u16 {
            413
        }
    });
}

#[test]
fn a_payload_whose_destructor_panics_harms_nobody() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in the destructor of a result");
        }
    }
    everywhere(|| {
        drop(thread::spawn(|| Bomb));
        let late = thread::spawn(|| Bomb);
        while !late.is_finished() {
            thread::yield_now();
        }
        drop(late);
        thread::spawn(|| ()).join().unwrap();
    });
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
fn an_unpark_before_the_park_is_kept_and_two_are_one() {
    everywhere(|| {
        let me = thread::current();
        me.unpark();
        me.unpark();
        thread::park();
        let start = Instant::now();
        thread::park_timeout(Duration::from_millis(20));
        assert!(start.elapsed() >= Duration::from_millis(20));
    });
    thread::current().unpark();
    thread::park();
}

#[test]
fn an_unpark_wakes_from_anywhere() {
    everywhere(|| {
        for from_os in [false, true] {
            let me = thread::current();
            let flag = Arc::new(AtomicBool::new(false));
            let wake = {
                let flag = flag.clone();
                move || {
                    flag.store(true, SeqCst);
                    me.unpark();
                }
            };
            if from_os {
                std::thread::spawn(wake);
            } else {
                thread::spawn(wake);
            }
            while !flag.load(SeqCst) {
                thread::park();
            }
        }
    });
}

#[test]
fn an_os_thread_parks_too() {
    let me = thread::current();
    let rt = runtime(1);
    for _ in 0..100 {
        let me = me.clone();
        rt.spawn(move || me.unpark());
        thread::park();
    }
    let start = Instant::now();
    thread::park_timeout(Duration::from_millis(10));
    assert!(start.elapsed() >= Duration::from_millis(10));
}

#[test]
fn an_unpark_is_not_swallowed_by_another_wait() {
    everywhere(|| {
        let me = thread::current();
        let child = thread::spawn(move || {
            me.unpark();
            thread::yield_now();
        });
        child.join().unwrap();
        thread::park();
    });
}

#[test]
fn park_with_an_endless_timeout_returns_on_unpark() {
    everywhere(|| {
        let me = thread::current();
        thread::spawn(move || me.unpark());
        thread::park_timeout(Duration::MAX);
    });
}

#[test]
fn sleeps_last_and_end_in_order() {
    everywhere(|| {
        let order = Arc::new(Mutex::new(Vec::new()));
        let start = Instant::now();
        let threads: Vec<_> = [30_u64, 10, 20, 0]
            .map(|ms| {
                let order = order.clone();
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(ms));
                    assert!(start.elapsed() >= Duration::from_millis(ms));
                    order.lock().unwrap().push(ms);
                })
            })
            .into();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(order.lock().unwrap().len(), 4);
    });
}

#[test]
fn sleeping_does_not_keep_siblings_from_running() {
    let rt = runtime(1);
    rt.run(|| {
        let sleeper = thread::spawn(|| thread::sleep(Duration::from_secs(3600)));
        let count: usize = (0..100).map(|_| thread::spawn(|| 1).join().unwrap()).sum();
        assert_eq!(count, 100);
        assert!(!sleeper.is_finished());
        // It would keep the runtime from ending.
        std::mem::forget(sleeper);
    });
    assert!(!rt.shutdown_timeout(Duration::from_millis(1)));
}

#[test]
fn scoped_threads_borrow() {
    everywhere(|| {
        let mut numbers = vec![1, 2, 3];
        let sum = AtomicUsize::new(0);
        let value = thread::scope(|s| {
            s.spawn(|| numbers.push(4));
            for n in 0..100 {
                let sum = &sum;
                s.spawn(move || {
                    thread::yield_now();
                    sum.fetch_add(n, SeqCst)
                });
            }
            s.spawn(|| s.spawn(|| "nested").join().unwrap()).join().unwrap()
        });
        assert_eq!((value, sum.into_inner(), numbers), ("nested", 4950, vec![1, 2, 3, 4]));
    });
}

#[test]
fn a_scope_waits_also_while_its_closure_unwinds() {
    everywhere(|| {
        let done = AtomicUsize::new(0);
        let payload = catch_unwind(AssertUnwindSafe(|| {
            thread::scope(|s| {
                for _ in 0..10 {
                    s.spawn(|| {
                        thread::sleep(Duration::from_millis(5));
                        done.fetch_add(1, SeqCst);
                    });
                }
                panic!("in the closure");
            })
        }));
        assert_eq!(message(payload.unwrap_err()), "in the closure");
        assert_eq!(done.into_inner(), 10);
    });
}

#[test]
fn a_scope_tells_of_panics_that_nobody_took() {
    everywhere(|| {
        let joined = thread::scope(|s| s.spawn(|| panic!("joined")).join().is_err());
        assert!(joined);
        for wait in [false, true] {
            let result = catch_unwind(AssertUnwindSafe(|| {
                thread::scope(|s| {
                    let handle = s.spawn(|| panic!("not joined"));
                    while wait && !handle.is_finished() {
                        thread::yield_now();
                    }
                })
            }));
            assert_eq!(message(result.unwrap_err()), "a scoped thread panicked");
        }
    });
}

#[test]
fn a_scope_on_an_os_thread() {
    let mut value = 0;
    thread::scope(|s| {
        s.spawn(|| value = 1);
    });
    assert_eq!(value, 1);
}

#[test]
fn results_of_scoped_threads_are_dropped_inside_the_scope() {
    struct Count<'a>(&'a AtomicUsize);
    impl Drop for Count<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    everywhere(|| {
        let dropped = AtomicUsize::new(0);
        let mut outlives = Vec::new();
        thread::scope(|s| {
            for _ in 0..50 {
                let thread = s.spawn(|| {
                    thread::yield_now();
                    Count(&dropped)
                });
                outlives.push(thread.thread().clone());
            }
        });
        assert_eq!(dropped.load(SeqCst), 50);
        assert!(outlives.iter().all(|thread| thread.name().is_none()));
    });
}

#[test]
fn panicking_is_per_green_thread() {
    struct Look<'a>(&'a AtomicUsize);
    impl Drop for Look<'_> {
        fn drop(&mut self) {
            assert!(thread::panicking());
            self.0.fetch_add(1, SeqCst);
            // A sibling runs in the middle of this unwinding, sees that it doesn't panic, and may panic itself.
            let sibling = thread::spawn(|| {
                assert!(!thread::panicking());
                let inner = catch_unwind(|| panic!("inside"));
                assert!(inner.is_err());
                panic!("sibling")
            });
            assert!(sibling.join().is_err());
            assert!(thread::panicking());
            self.0.fetch_add(1, SeqCst);
        }
    }
    let seen = AtomicUsize::new(0);
    runtime(1).run(|| {
        thread::scope(|s| {
            let unwinding = s.spawn(|| {
                let _look = Look(&seen);
                panic!("outer");
            });
            assert!(unwinding.join().is_err());
        });
        assert!(!thread::panicking());
    });
    assert_eq!(seen.into_inner(), 2);
}

#[test]
fn many_threads_unwind_at_once_and_switch_in_their_destructors() {
    struct Yield;
    impl Drop for Yield {
        fn drop(&mut self) {
            (0..10).for_each(|_| thread::yield_now());
        }
    }
    everywhere(|| {
        let threads: Vec<_> = (0..50_usize)
            .map(|n| {
                thread::spawn(move || {
                    let _yields = Yield;
                    thread::yield_now();
                    resume_unwind(Box::new(n));
                })
            })
            .collect();
        for (n, thread) in threads.into_iter().enumerate() {
            assert_eq!(*thread.join().unwrap_err().downcast::<usize>().unwrap(), n);
        }
        assert!(!std::thread::panicking());
    });
}

#[test]
fn catch_unwind_across_switches() {
    everywhere(|| {
        let threads: Vec<_> = (0..20)
            .map(|n| {
                thread::spawn(move || {
                    let caught = catch_unwind(|| {
                        thread::yield_now();
                        if n % 2 == 0 {
                            resume_unwind(Box::new(n));
                        }
                        thread::yield_now();
                        n
                    });
                    thread::yield_now();
                    caught.map_err(|payload| *payload.downcast::<i32>().unwrap())
                })
            })
            .collect();
        for (n, thread) in threads.into_iter().enumerate() {
            let n = n as i32;
            assert_eq!(thread.join().unwrap(), if n % 2 == 0 { Err(n) } else { Ok(n) });
        }
    });
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
fn sleep_until_sleeps_until() {
    use greenthread::time::{Duration, Instant};
    let test = || {
        let deadline = Instant::now() + Duration::from_millis(3);
        thread::sleep_until(deadline);
        assert!(Instant::now() >= deadline);
        thread::sleep_until(deadline);
    };
    everywhere(test);
    test();
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
        // SAFETY: joined before `text` goes.
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

#[test]
fn a_scope_ends_after_its_last_thread() {
    let race = || {
        for round in 0..100_u32 {
            let done = AtomicBool::new(false);
            thread::scope(|s| {
                for _ in 0..5 {
                    s.spawn(|| thread::sleep(Duration::from_micros((round % 7).into())));
                }
                s.spawn(|| {
                    thread::yield_now();
                    done.store(true, SeqCst);
                });
            });
            assert!(done.load(SeqCst));
        }
    };
    everywhere(race);
    race();
}

#[test]
fn a_scoped_result_may_borrow_and_a_joined_one_is_the_joiners() {
    everywhere(|| {
        let dropped = AtomicUsize::new(0);
        struct Count<'a>(&'a AtomicUsize);
        impl Drop for Count<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(1, SeqCst);
            }
        }
        thread::scope(|s| {
            let result = s.spawn(|| Count(&dropped)).join();
            assert_eq!(dropped.load(SeqCst), 0);
            drop(result);
            assert_eq!(dropped.load(SeqCst), 1);
        });
    });
}

/// Everybody joins everybody else's children: green threads those of OS threads, and the other way round.
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
