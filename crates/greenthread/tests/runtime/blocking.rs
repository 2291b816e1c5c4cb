//! The pool for blocking calls: calls for which there is no OS thread, calls that wait for other
//! calls, idle threads, and limits.

use std::{
    collections::HashSet,
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::{Duration, Instant},
};

#[cfg(unix)]
use greenthread::os::unix::{
    fs::FileExt,
    net::{UnixListener, UnixStream},
};
use greenthread::{Runtime, fs, net::ToSocketAddrs, thread};

#[cfg(unix)]
use crate::common::{
    allow_os_threads, forbid_os_threads,
    machine::{Need, lacks},
};
use crate::common::{
    child, everywhere, is_child, runtime, scratch, system::os_thread, test_name, text, world::time_limit,
};

/// Runs the rest of the test in a process of its own.
fn in_a_child(test: impl FnOnce()) {
    if is_child() {
        return test();
    }
    let out = child(|command| {
        command.env_remove("GREENTHREAD_WATCHDOG");
    });
    assert!(out.status.success(), "{}", text(&out));
}

/// Waits until a condition is true, for a minute at most.
fn wait_until(what: &str, is_so: impl FnMut() -> bool) {
    wait_for(Duration::from_secs(60), what, is_so);
}

fn wait_for(most: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < most, "not yet: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A call of the library that may wait for others and can fail.
fn look_up() -> io::Result<()> {
    ("localhost", 80).to_socket_addrs().map(drop)
}

/// How many OS threads this process has.
fn os_threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[cfg(unix)]
#[test]
fn without_os_threads_calls_are_made_on_the_spot_or_say_why_not() {
    let _limit = time_limit(test_name());
    in_a_child(|| {
        let runtimes = [1, 2].map(runtime);
        let path = scratch("spot");
        let file = fs::File::create_new(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        forbid_os_threads();
        for rt in &runtimes {
            // If the kernel needs a thread for a file operation of a ring, that is refused too.
            rt.run(|| {
                file.write_all_at(b"on the spot", 0).unwrap();
                file.sync_all().unwrap();
                (&file).write_all(b"on").unwrap();
            });
            rt.run(|| {
                let sibling = thread::spawn(|| thread::sleep(Duration::from_millis(1)));
                let here = std::thread::current().id();
                assert!(fs::metadata("/").unwrap().is_dir());
                assert!(fs::canonicalize("/nowhere").is_err());
                assert_eq!(thread::unblock(|| std::thread::current().id()), here);
                let panic = catch_unwind(AssertUnwindSafe(|| thread::unblock(|| panic!("right here"))));
                assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "right here");
                let error = look_up().unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
                assert!(error.to_string().contains("RLIMIT_NPROC"), "{error}");
                sibling.join().unwrap();
            });
            let metrics = rt.metrics();
            assert_eq!((metrics.disk().threads(), metrics.blocking().threads()), (0, 0));
        }
        allow_os_threads();
        for rt in &runtimes {
            let both = Arc::new(Barrier::new(2));
            rt.run(|| {
                look_up().unwrap();
                let calls = [0, 1].map(|_| {
                    let both = both.clone();
                    thread::spawn(|| {
                        thread::unblock(move || {
                            both.wait();
                        })
                    })
                });
                calls.into_iter().for_each(|call| call.join().unwrap());
            });
            assert_eq!(rt.metrics().blocking().threads(), 2, "it grows again");
        }
    });
}

#[cfg(unix)]
#[test]
fn while_the_system_refuses_more_threads_those_of_the_pool_do() {
    let _limit = time_limit(test_name());
    in_a_child(|| {
        let rt = runtime(2);
        rt.run(|| {
            fs::canonicalize("/").unwrap();
            thread::unblock(|| ());
        });
        forbid_os_threads();
        let calls: Vec<_> = (0..500).map(|_| rt.spawn(|| fs::canonicalize("/").unwrap())).collect();
        calls.into_iter().for_each(|call| drop(call.join().unwrap()));
        assert_eq!(rt.metrics().disk().threads(), 1);

        // The one thread for blocking calls is in use. The library's calls fail, and the user's
        // wait for it.
        let (free, until_free) = mpsc::channel::<()>();
        let busy = rt.spawn(move || thread::unblock(move || until_free.recv().unwrap()));
        wait_until("the thread is in use", || rt.metrics().blocking().idle_threads() == 0);
        assert_eq!(rt.run(look_up).unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
        let queued = rt.spawn(|| thread::unblock(|| ()));
        wait_until("the call is queued", || rt.metrics().blocking().queued() == 1);
        free.send(()).unwrap();
        busy.join().unwrap();
        queued.join().unwrap();
        assert_eq!(rt.metrics().blocking().threads(), 1);
        rt.run(look_up).unwrap();

        allow_os_threads();
        let all = Arc::new(Barrier::new(5));
        let calls = (0..5).map(|_| {
            let all = all.clone();
            rt.spawn(|| {
                thread::unblock(move || {
                    all.wait();
                })
            })
        });
        calls.collect::<Vec<_>>().into_iter().for_each(|call| call.join().unwrap());
        assert_eq!(rt.metrics().blocking().threads(), 5, "it grows again");
    });
}

#[test]
fn calls_that_wait_have_a_thread_each_and_leave_file_calls_alone() {
    let _limit = time_limit(test_name());
    const CALLS: usize = 700;
    let rt = runtime(2);
    let all = Arc::new(Barrier::new(CALLS + 1));
    let calls: Vec<_> = (0..CALLS)
        .map(|_| {
            let all = all.clone();
            rt.spawn(move || {
                thread::unblock(|| {
                    all.wait();
                })
            })
        })
        .collect();
    wait_until("all have a thread", || rt.metrics().blocking().threads() == CALLS);
    rt.run(|| assert!(fs::canonicalize("/").is_ok()));
    all.wait();
    calls.into_iter().for_each(|call| call.join().unwrap());
}

#[cfg(unix)]
#[test]
fn connections_to_a_full_listener_leave_its_file_calls_alone() {
    let _limit = time_limit(test_name());
    const CLIENTS: usize = 700;
    let rt = runtime(2);
    let path = scratch("full");
    let listener = UnixListener::bind(&path).unwrap();
    let begun = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (path, begun) = (path.clone(), begun.clone());
            rt.spawn(move || {
                begun.fetch_add(1, SeqCst);
                UnixStream::connect(path).unwrap()
            })
        })
        .collect();
    wait_until("all connect", || begun.load(SeqCst) == CLIENTS);
    let server = rt.spawn(move || {
        for stream in listener.incoming().take(CLIENTS) {
            fs::canonicalize("/").unwrap();
            drop(stream.unwrap());
        }
    });
    clients.into_iter().for_each(|client| drop(client.join().unwrap()));
    server.join().unwrap();
    std::fs::remove_file(path).unwrap();
}

#[cfg(unix)]
#[test]
fn calls_in_turn_take_one_thread() {
    let _limit = time_limit(test_name());
    everywhere(|| {
        let threads: HashSet<_> = (0..1000).map(|_| thread::unblock(os_thread)).collect();
        let panic = catch_unwind(|| thread::unblock(|| std::panic::resume_unwind(Box::new(os_thread()))));
        let last = *panic.unwrap_err().downcast().unwrap();
        let next = thread::unblock(os_thread);
        assert_eq!(threads.into_iter().collect::<Vec<_>>(), [last]);
        assert_eq!(next, last);
    });
}

#[cfg(unix)]
#[test]
fn a_burst_leaves_nothing_behind_and_idle_threads_sleep() {
    let _limit = time_limit(test_name());
    in_a_child(|| {
        const CALLS: usize = 400;
        let rt = runtime(1);
        rt.run(|| ());
        let before = os_threads();
        let me = os_thread().to_string();
        let switches = || {
            let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap());
            let status = tasks
                .filter(|task| task.file_name().to_str() != Some(&me))
                // One that has ended meanwhile has no status any more.
                .filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok());
            let count = |status: String| {
                let lines = status.lines().filter(|line| line.starts_with("voluntary"));
                lines.map(|line| line.split_whitespace().last().unwrap().parse::<u64>().unwrap()).sum::<u64>()
            };
            status.map(count).sum::<u64>()
        };
        // Whether all threads of the pool have slept for three seconds. They end together some time
        // later. On a machine under load that may be before this looks.
        let sleeps_after_a_burst = || {
            let all = Arc::new(Barrier::new(CALLS));
            rt.run(|| {
                let calls = (0..CALLS).map(|_| {
                    let all = all.clone();
                    thread::spawn(|| {
                        thread::unblock(move || {
                            all.wait();
                        })
                    })
                });
                calls.collect::<Vec<_>>().into_iter().for_each(|call| call.join().unwrap());
            });
            let (mut quiet, mut last) = (0, 0);
            while quiet < 3 && rt.metrics().blocking().idle_threads() == CALLS {
                std::thread::sleep(Duration::from_secs(1));
                let now = switches();
                quiet = if now == last { quiet + 1 } else { 0 };
                last = now;
            }
            quiet == 3
        };
        assert!((0..5).any(|_| sleeps_after_a_burst()), "idle threads wake up");
        wait_until("the threads end", || rt.metrics().blocking().threads() == 0 && os_threads() == before);
        rt.run(|| thread::unblock(|| ()));
        assert_eq!(rt.metrics().blocking().threads(), 1);
    });
}

#[cfg(unix)]
#[test]
fn the_threads_end_with_the_runtime() {
    let _limit = time_limit(test_name());
    let rt = Runtime::builder().workers(2).name("ending").build().unwrap();
    let comm = |path: std::path::PathBuf| std::fs::read_to_string(path.join("comm")).unwrap_or_default();
    let [waits, disk] = rt.run(|| {
        let waits = thread::unblock(|| comm("/proc/thread-self".into()));
        [waits, comm(fs::canonicalize("/proc/thread-self").unwrap())]
    });
    assert_eq!([&*waits, &*disk], ["ending-block-0\n", "ending-disk-0\n"]);
    let other = Runtime::builder().workers(1).name("ending").build().unwrap();
    other.run(|| thread::unblock(|| ()));
    assert!(other.shutdown_timeout(Duration::from_secs(60)));
    drop(rt);
    // Without the runtime's end they would end after ten seconds.
    wait_for(Duration::from_secs(8), "no thread is left", || {
        let mut tasks = std::fs::read_dir("/proc/self/task").unwrap();
        !tasks.any(|task| task.is_ok_and(|task| comm(task.path()).starts_with("ending")))
    });
}

#[test]
fn the_blocking_limit_is_kept_and_named() {
    let _limit = time_limit(test_name());
    let rt = Runtime::builder().workers(2).blocking_threads(2).disk_threads(1).build().unwrap();
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    rt.run(|| {
        thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| {
                    thread::unblock(|| {
                        most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, SeqCst);
                    });
                    fs::canonicalize("/").unwrap();
                });
            }
        });
    });
    assert!((1..=2).contains(&most.load(SeqCst)), "{most:?}");
    assert_eq!(rt.metrics().disk().threads(), 1);

    // The metrics alone would not tell: a thread that has just done its work counts as in use.
    let (all, begun) = (Arc::new(Barrier::new(3)), Arc::new(AtomicUsize::new(0)));
    let busy = [0, 1].map(|_| {
        let (all, begun) = (all.clone(), begun.clone());
        rt.spawn(move || {
            thread::unblock(move || {
                begun.fetch_add(1, SeqCst);
                all.wait();
            })
        })
    });
    wait_until("both are in use", || begun.load(SeqCst) == 2);
    let metrics = rt.metrics();
    assert_eq!((metrics.blocking().threads(), metrics.blocking().idle_threads()), (2, 0));
    let error = rt.run(look_up).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
    for part in ["all 2", "blocking_threads", "GREENTHREAD_BLOCKING_THREADS"] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    all.wait();
    busy.into_iter().for_each(|call| call.join().unwrap());
    rt.run(look_up).unwrap();
}

#[test]
fn limits_come_from_the_builder_or_the_environment() {
    let _limit = time_limit(test_name());
    const VARIABLES: [&str; 2] = ["GREENTHREAD_DISK_THREADS", "GREENTHREAD_BLOCKING_THREADS"];
    let limits = |rt: Runtime| {
        let metrics = rt.metrics();
        [metrics.disk().limit(), metrics.blocking().limit()]
    };
    if is_child() {
        match Runtime::builder().build() {
            Ok(rt) => println!("limits {:?}", limits(rt)),
            Err(error) => println!("{:?}: {error}", error.kind()),
        }
        let rt = Runtime::builder().disk_threads(5).blocking_threads(6).build().unwrap();
        assert_eq!(limits(rt), [5, 6]);
        return;
    }
    let say = |values: [Option<&str>; 2]| {
        let out = child(|command| {
            for (variable, value) in VARIABLES.iter().zip(values) {
                command.env_remove(variable);
                value.map(|value| command.env(variable, value));
            }
        });
        assert!(out.status.success(), "{}", text(&out));
        text(&out)
    };
    assert!(say([None, None]).contains("limits [64, 10000]"));
    assert!(say([Some("3"), Some("100000")]).contains("limits [3, 100000]"));
    for wrong in ["0", "-1", "many", "", "100001"] {
        for (index, variable) in VARIABLES.iter().enumerate() {
            let mut values = [None, None];
            values[index] = Some(wrong);
            let said = say(values);
            assert!(said.contains(&format!("InvalidInput: {variable} is {wrong:?}")), "{said}");
        }
    }
    for builder in [Runtime::builder().disk_threads(0), Runtime::builder().blocking_threads(100_001)] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("from 1 to 100000"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_runtime_of_a_forked_child_has_a_pool_of_its_own() {
    if lacks(&[Need::ThreadsAfterFork]) {
        return;
    }
    let _limit = time_limit(test_name());
    in_a_child(|| {
        let calls = || {
            fs::canonicalize("/").unwrap();
            thread::unblock(|| ());
            look_up().unwrap();
        };
        let rt = runtime(2);
        rt.run(calls);
        // SAFETY: the child makes a runtime of its own, and exits without destructors of its
        // parent.
        let forked = unsafe { libc::fork() };
        if forked == 0 {
            let works = catch_unwind(|| runtime(2).run(calls)).is_ok();
            // SAFETY: the call only ends the process.
            unsafe { libc::_exit(i32::from(!works)) };
        }
        let mut status = -1;
        wait_until("the forked child ends", || {
            // SAFETY: this is a child of this process, and the call writes to `status`.
            unsafe { libc::waitpid(forked, &raw mut status, libc::WNOHANG) == forked }
        });
        assert_eq!(status, 0);
        rt.run(calls);
    });
}
