//! Runtimes: how they start, nest and end. Fairness, placement, idle workers.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc::channel,
    },
    time::{Duration, Instant},
};

use greenthread::{Runtime, thread};

use crate::common::{
    child, everywhere, is_child, runtime,
    system::{open_descriptors, os_thread},
    test_name, text,
    world::time_limit,
};

/// A container's quota of processor time and the processors that a process may use are counted as
/// std counts them.
#[test]
fn there_is_a_worker_for_each_processor_that_std_counts() {
    if !is_child() {
        let out = child(|command| _ = command.env_remove("GREENTHREAD_WORKERS"));
        return assert!(out.status.success(), "{}", text(&out));
    }
    let workers = || Runtime::builder().build().unwrap().metrics().workers();
    assert_eq!(workers(), std::thread::available_parallelism().unwrap().get());
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

        let all = sched_getaffinity(None).unwrap();
        let first = (0..CpuSet::MAX_CPU).find(|&cpu| all.is_set(cpu)).unwrap();
        let mut one = CpuSet::new();
        one.set(first);
        sched_setaffinity(None, &one).unwrap();
        assert_eq!(workers(), 1);
    }
}

#[test]
fn run_returns_borrows_and_rethrows() {
    let mut seen = Vec::new();
    assert_eq!(greenthread::run(|| seen.push(1)), ());
    let rt = runtime(2);
    rt.run(|| seen.push(2));
    assert_eq!(seen, [1, 2]);
    let panic = catch_unwind(AssertUnwindSafe(|| rt.run(|| std::panic::resume_unwind(Box::new(5_i32)))));
    assert_eq!(*panic.unwrap_err().downcast::<i32>().unwrap(), 5);
    assert_eq!(rt.run(|| 3), 3);
}

#[test]
fn run_nests() {
    everywhere(|| {
        let depth = greenthread::run(|| 1 + greenthread::run(|| 1 + greenthread::run(|| 1)));
        assert_eq!(depth, 3);
        let other = runtime(1);
        let here = std::thread::current().id();
        assert_ne!(other.run(|| std::thread::current().id()), here);
        // Inside the other runtime, `run` and `spawn` use that one.
        other.run(|| {
            let there = std::thread::current().id();
            assert_eq!(greenthread::run(|| std::thread::current().id()), there);
            assert_eq!(thread::spawn(|| std::thread::current().id()).join().unwrap(), there);
        });
    });
    let rt = runtime(1);
    assert_eq!(rt.run(|| rt.run(|| rt.spawn(|| 9).join().unwrap())), 9);
}

#[test]
fn dropping_a_runtime_waits_for_its_threads() {
    for workers in [1, 2, 8] {
        let done = Arc::new(AtomicUsize::new(0));
        let rt = runtime(workers);
        for n in 0..100_u64 {
            let done = done.clone();
            rt.spawn(move || {
                thread::sleep(Duration::from_micros(100 * n));
                thread::spawn(move || done.fetch_add(1, SeqCst));
            });
        }
        drop(rt);
        assert_eq!(done.load(SeqCst), 100);
    }
}

#[test]
fn a_runtime_dropped_on_a_green_thread_of_another_waits_too() {
    everywhere(|| {
        let done = Arc::new(AtomicBool::new(false));
        let rt = runtime(2);
        let flag = done.clone();
        rt.spawn(move || {
            thread::sleep(Duration::from_millis(5));
            flag.store(true, SeqCst);
        });
        drop(rt);
        assert!(done.load(SeqCst));
    });
}

#[test]
fn dropped_on_its_own_thread_it_goes_on_without_waiting() {
    for workers in [1, 2] {
        let (tell, told) = channel();
        let rt = Arc::new(runtime(workers));
        let inner = rt.clone();
        rt.spawn(move || {
            while Arc::strong_count(&inner) > 1 {
                thread::yield_now();
            }
            let late = tell.clone();
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(5));
                late.send("later").unwrap();
            });
            drop(inner);
            tell.send("dropped").unwrap();
        });
        drop(rt);
        assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok("dropped"));
        assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok("later"));
        assert!(told.recv_timeout(Duration::from_secs(10)).is_err(), "all senders are gone");
    }
}

#[test]
fn dropped_while_unwinding_it_does_not_wait() {
    let gate = Arc::new(AtomicBool::new(false));
    let (tell, told) = channel();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let rt = runtime(1);
        let gate = gate.clone();
        rt.spawn(move || {
            while !gate.load(SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            tell.send(()).unwrap();
        });
        panic!("with a runtime alive");
    }));
    assert!(result.is_err());
    gate.store(true, SeqCst);
    told.recv_timeout(Duration::from_secs(10)).unwrap();
}

#[test]
fn shutdown_timeout_tells_whether_all_ended() {
    let rt = runtime(2);
    rt.spawn(|| thread::sleep(Duration::from_millis(5)));
    assert!(rt.shutdown_timeout(Duration::from_secs(10)));
    let rt = runtime(2);
    let parked = rt.spawn(thread::park);
    assert!(!rt.shutdown_timeout(Duration::from_millis(5)));
    parked.thread().unpark();
    parked.join().unwrap();
}

#[test]
fn many_runtimes_leave_nothing_behind() {
    if !is_child() {
        let out = child(|_| {});
        assert!(out.status.success(), "{}", text(&out));
        return;
    }
    drop(runtime(2));
    let before = open_descriptors();
    for n in 0..200 {
        let rt = runtime(1 + n % 3);
        rt.run(|| thread::spawn(thread::yield_now).join().unwrap());
    }
    // On Windows the parts of the system that a program has loaded keep handles of their own.
    let (after, more) = (open_descriptors(), if cfg!(windows) { 20 } else { 0 });
    assert!(after <= before + more, "{before} {after}");
}

#[test]
fn exit_with_parked_threads_is_quiet() {
    if is_child() {
        struct Loud;
        impl Drop for Loud {
            fn drop(&mut self) {
                println!("dropped");
            }
        }
        for _ in 0..100 {
            thread::spawn(|| {
                let _loud = Loud;
                thread::park();
            });
        }
        thread::spawn(|| {
            thread::sleep(Duration::from_millis(20));
            // The exit is on a worker. Blocking calls of exit handlers block the OS thread.
            std::process::exit(7);
        });
        std::thread::sleep(Duration::from_secs(60));
    }
    let out = child(|_| {});
    assert_eq!(out.status.code(), Some(7), "{}", text(&out));
    assert!(!text(&out).contains("dropped"));
}

#[cfg(unix)]
#[test]
fn idle_workers_make_no_context_switch() {
    if !is_child() {
        let out = child(|command| {
            command.env_remove("GREENTHREAD_WATCHDOG");
        });
        assert!(out.status.success(), "{}", text(&out));
        return;
    }
    let rt = runtime(4);
    rt.run(|| (0..100).for_each(|_| thread::spawn(thread::yield_now).join().unwrap()));
    let parked = rt.spawn(thread::park);
    let connection = rt.spawn(|| {
        let listener = greenthread::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let _ = listener.set_ttl(64);
        thread::park();
        drop(listener);
    });
    std::thread::sleep(Duration::from_millis(300));
    // Sums over every OS thread of this process except this one.
    let me = os_thread().to_string();
    let switches = || {
        let mut sum = 0_u64;
        for task in std::fs::read_dir("/proc/self/task").unwrap() {
            let task = task.unwrap();
            if task.file_name().to_str() == Some(&me) {
                continue;
            }
            let status = std::fs::read_to_string(task.path().join("status")).unwrap();
            let lines = status.lines().filter(|line| line.contains("ctxt_switches"));
            sum += lines
                .map(|line| line.split_whitespace().last().unwrap().parse::<u64>().unwrap())
                .sum::<u64>();
        }
        sum
    };
    let before = switches();
    std::thread::sleep(Duration::from_secs(10));
    assert_eq!(switches(), before);
    parked.thread().unpark();
    connection.thread().unpark();
}

/// Beside a thread that only yields and one that only spawns, every thread goes on.
#[test]
fn nobody_starves() {
    use std::io::{Read, Write};
    for workers in [1, 2] {
        let rt = runtime(workers);
        let stop = Arc::new(AtomicBool::new(false));
        let run = |f: fn()| {
            let stop = stop.clone();
            rt.spawn(move || {
                while !stop.load(SeqCst) {
                    f();
                }
            })
        };
        let yielder = run(thread::yield_now);
        let spawner = run(|| {
            thread::spawn(|| ());
            thread::yield_now();
        });
        rt.run(|| {
            let listener = greenthread::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let server = thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut byte = [0];
                while stream.read(&mut byte).unwrap() == 1 {
                    stream.write_all(&byte).unwrap();
                }
            });
            let mut client = greenthread::net::TcpStream::connect(address).unwrap();
            for n in 0..100 {
                client.write_all(&[n]).unwrap();
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                assert_eq!(byte, [n]);
                thread::sleep(Duration::from_micros(100));
                assert_eq!(thread::spawn(move || n).join().unwrap(), n);
            }
            drop(client);
            server.join().unwrap();
        });
        stop.store(true, SeqCst);
        yielder.join().unwrap();
        spawner.join().unwrap();
    }
}

#[test]
fn a_thread_that_computes_does_not_keep_unstarted_ones() {
    let rt = runtime(2);
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    let hog = rt.spawn(move || {
        // These threads are in the hog's own deque. The other worker must steal them.
        let threads: Vec<_> = (0..10).map(|n| thread::spawn(move || n)).collect();
        while !flag.load(SeqCst) {
            std::hint::spin_loop();
        }
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<i32>()
    });
    let sum = rt.run(|| (0..10).map(|n| thread::spawn(move || n).join().unwrap()).sum::<i32>());
    assert_eq!(sum, 45);
    stop.store(true, SeqCst);
    assert_eq!(hog.join().unwrap(), 45);
}

/// One accept loop accepts connections one by one, and spawns a long-lived thread for each.
#[test]
#[cfg_attr(windows, ignore = "Wine takes minutes for ten thousand connections")]
fn long_lived_threads_are_spread() {
    use std::io::{Read, Write};
    // A 32-bit process has no addresses for more, and Wine takes long for each.
    const CONNECTIONS: usize = match () {
        () if cfg!(windows) => 1000,
        () if usize::BITS == 32 => 2000,
        () => 10_000,
    };
    const WORKERS: usize = 8;
    if is_child() {
        // The clients: plain sockets, held open until the parent closes its end. At most 64 at a
        // time wait to be accepted: if a listener's queue is full, the kernel tries again only
        // after seconds.
        let address = std::env::var("ADDRESS").unwrap();
        let mut streams = Vec::new();
        while streams.len() < CONNECTIONS {
            let connect = |_| std::net::TcpStream::connect(&address).unwrap();
            let mut some: Vec<_> = (0..64.min(CONNECTIONS - streams.len())).map(connect).collect();
            some.iter_mut().for_each(|stream| stream.read_exact(&mut [0]).unwrap());
            streams.append(&mut some);
        }
        for mut stream in streams {
            stream.write_all(b"x").unwrap();
            let _ = stream.read(&mut [0]);
        }
        return;
    }
    static SEEN: std::sync::Mutex<Vec<std::thread::ThreadId>> = std::sync::Mutex::new(Vec::new());
    let worker = || {
        let (os, mut seen) = (std::thread::current().id(), SEEN.lock().unwrap());
        seen.iter().position(|id| *id == os).unwrap_or_else(|| {
            seen.push(os);
            seen.len() - 1
        })
    };
    let (rt, name) = (runtime(WORKERS), test_name());
    let on_worker: Arc<[AtomicUsize; WORKERS]> = Arc::default();
    let counts = rt.run(|| {
        // A worker that begins late, on a busy machine, has fewer threads.
        let _limit = time_limit("all workers begin".into());
        while SEEN.lock().unwrap().len() < WORKERS {
            let begin = |_| {
                thread::spawn(move || {
                    worker();
                    thread::sleep(Duration::from_millis(1));
                })
            };
            let threads: Vec<_> = (0..64).map(begin).collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        }
        let listener = greenthread::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // The child runs the test that its parent's OS thread is named after.
        let client = std::thread::Builder::new().name(name).spawn(move || {
            child(|command| {
                command.env("ADDRESS", address.to_string());
            })
        });
        let started = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (mut stream, _) = listener.accept().unwrap();
                let (on_worker, started) = (on_worker.clone(), started.clone());
                thread::spawn(move || {
                    on_worker[worker()].fetch_add(1, SeqCst);
                    started.fetch_add(1, SeqCst);
                    stream.write_all(b"!").unwrap();
                    stream.read_exact(&mut [0]).unwrap();
                })
            })
            .collect();
        while started.load(SeqCst) < CONNECTIONS {
            thread::sleep(Duration::from_millis(1));
        }
        let counts: Vec<usize> = on_worker.iter().map(|count| count.load(SeqCst)).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let out = client.unwrap().join().unwrap();
        assert!(out.status.success(), "{}", text(&out));
        counts
    });
    let (most, least) = (counts.iter().max().unwrap(), counts.iter().min().unwrap());
    assert!(*most as f64 <= 1.5 * *least as f64, "{counts:?}");
}

#[test]
fn several_os_threads_keep_one_worker_going() {
    let runtime = Arc::new(runtime(1));
    let (done, all) = std::sync::mpsc::channel();
    for _ in 0..4 {
        let (runtime, done) = (runtime.clone(), done.clone());
        std::thread::spawn(move || {
            (0..3_000).for_each(|_| runtime.spawn(|| ()).join().unwrap());
            done.send(()).unwrap();
        });
    }
    for _ in 0..4 {
        all.recv_timeout(Duration::from_secs(100)).expect("no wake-up is lost");
    }
}

#[test]
fn bad_worker_counts_are_errors() {
    for workers in [0, 5000, usize::MAX] {
        let error = Runtime::builder().workers(workers).build().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("workers"), "{error}");
    }
}

#[test]
fn a_name_with_a_nul_byte_is_an_error() {
    let error = Runtime::builder().name("fern\0moss").build().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("name"), "{error}");
}

#[test]
fn settings_show() {
    let rt = Runtime::builder().workers(2).name("shown").stack_size(100_000).build().unwrap();
    assert!(format!("{rt:?}").contains("shown"));
    if cfg!(target_os = "linux") {
        let name = rt.run(|| std::fs::read_to_string("/proc/thread-self/comm").unwrap());
        assert!(name.starts_with("shown-"), "{name}");
    }
}

#[test]
fn a_sleeping_runtime_is_woken_from_an_os_thread_again_and_again() {
    let rt = runtime(2);
    let start = Instant::now();
    for n in 0..2000 {
        assert_eq!(rt.spawn(move || n).join().unwrap(), n);
    }
    assert!(start.elapsed() < Duration::from_secs(60));
}
