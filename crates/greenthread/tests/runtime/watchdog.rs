//! When the watchdog reports threads that hold up their worker, and when it is silent. Each case
//! runs in a process of its own.

use std::time::Duration;

use greenthread::{Runtime, thread};

use crate::common::{child, fill_stderr, is_child, text};

#[test]
fn the_watchdog_names_a_hog() {
    if is_child() {
        Runtime::builder().workers(1).watchdog(true).build().unwrap().run(|| {
            let other = thread::spawn(|| thread::sleep(Duration::from_millis(1)));
            thread::yield_now();
            let hog = thread::Builder::new().name("greedy".into());
            hog.spawn(|| std::thread::sleep(Duration::from_millis(400))).unwrap().join().unwrap();
            other.join().unwrap();
        });
        return;
    }
    let out = child(|_| {});
    let said = text(&out);
    assert!(out.status.success(), "{said}");
    for part in ["'greedy'", "watchdog.rs:", "std::thread::sleep"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(said.matches("'greedy'").count(), 1, "told once: {said}");
}

#[test]
fn the_watchdog_is_silent_about_a_computation_that_keeps_nobody() {
    if is_child() {
        Runtime::builder().workers(1).watchdog(true).build().unwrap().run(|| {
            std::thread::sleep(Duration::from_millis(300));
        });
        return;
    }
    let out = child(|_| {});
    assert!(!text(&out).contains("has kept its worker"), "{}", text(&out));
}

/// Blocks the worker for this long, by std's `sleep`.
fn hog(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}

/// The watchdog's report stops no worker, even if it can't be written, or if a parked thread holds
/// std's lock of standard error.
#[test]
fn the_watchdog_stops_no_worker() {
    if is_child() {
        let full = std::env::var_os("GREENTHREAD_TEST_FULL").is_some();
        let _reader = full.then(fill_stderr);
        Runtime::builder().workers(1).watchdog(true).build().unwrap().run(|| {
            let lock = std::io::stderr().lock();
            for _ in 0..3 {
                let ready = thread::spawn_local(|| (0..5).for_each(|_| thread::yield_now()));
                thread::yield_now();
                hog(300);
                ready.join().unwrap();
                thread::sleep(Duration::from_millis(1));
            }
            drop(lock);
            println!("went on");
        });
        println!("and ended");
        return;
    }
    for full in [false, true] {
        let out = child(|command| {
            if full {
                command.env("GREENTHREAD_TEST_FULL", "1");
            }
        });
        let said = text(&out);
        assert!(out.status.success() && said.contains("went on") && said.contains("and ended"), "{said}");
        assert_eq!(said.contains("has kept its worker"), !full, "{said}");
    }
}

/// The threads that wait for a hog may be unstarted: spawned from outside, or pinned to its worker.
#[test]
fn the_watchdog_sees_unstarted_threads_that_wait() {
    if is_child() {
        let runtime = Runtime::builder().workers(1).watchdog(true).build().unwrap();
        if std::env::var_os("GREENTHREAD_TEST_PINNED").is_some() {
            runtime.run(|| {
                let builder = thread::Builder::new().name("greedy".into());
                let hogs = builder.spawn_local(|| {
                    let pinned = thread::spawn_local(|| ());
                    hog(500);
                    pinned
                });
                hogs.unwrap().join().unwrap().join().unwrap();
            });
            return;
        }
        let (tell, told) = std::sync::mpsc::channel();
        let hogs = runtime.spawn(move || {
            let builder = thread::Builder::new().name("greedy".into());
            let hogs = builder.spawn(move || {
                tell.send(()).unwrap();
                hog(500);
            });
            hogs.unwrap().join().unwrap();
        });
        told.recv().unwrap();
        runtime.spawn(|| ()).join().unwrap();
        hogs.join().unwrap();
        return;
    }
    for pinned in [false, true] {
        let out = child(|command| {
            if pinned {
                command.env("GREENTHREAD_TEST_PINNED", "1");
            }
        });
        assert!(out.status.success() && text(&out).contains("'greedy'"), "pinned {pinned}: {}", text(&out));
    }
}

/// A worker is blocked again and again, but never for long. It switches between any two samples, so
/// the watchdog must know whether its OS thread is blocked. Windows does not say that
/// (`sys::thread::is_blocked`).
#[cfg(unix)]
#[test]
fn the_watchdog_adds_up_short_blocks() {
    if is_child() {
        Runtime::builder().workers(1).watchdog(true).build().unwrap().run(|| {
            let sibling = thread::spawn(|| (0..40).for_each(|_| thread::yield_now()));
            for name in ["one", "two"] {
                let builder = thread::Builder::new().name(name.into());
                builder
                    .spawn(|| {
                        (0..40).for_each(|_| {
                            hog(40);
                            thread::yield_now();
                        })
                    })
                    .unwrap();
            }
            sibling.join().unwrap();
        });
        return;
    }
    let out = child(|_| {});
    let said = text(&out);
    assert!(out.status.success(), "{said}");
    for part in ["worker 0 was held up again and again", "'one'", "'two'", "watchdog.rs:"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(said.matches("again and again").count(), 1, "told once: {said}");
}

/// A thread is not blamed for the time for which its worker has slept.
#[test]
fn the_watchdog_does_not_count_the_time_before_a_wake_up() {
    if is_child() {
        let runtime = Runtime::builder().workers(1).watchdog(true).build().unwrap();
        runtime.run(|| {
            let start = std::time::Instant::now();
            let wakes = move || {
                for round in 1..30 {
                    let next = start + Duration::from_millis(150 * round);
                    thread::sleep(next.saturating_duration_since(std::time::Instant::now()));
                    if round % 2 == 0 {
                        let begin = std::time::Instant::now();
                        while begin.elapsed() < Duration::from_millis(15) {}
                        if begin.elapsed() >= Duration::from_millis(60) {
                            // On a busy machine the run may have been long enough for a correct
                            // report.
                            println!("a busy machine");
                            return;
                        }
                    }
                }
            };
            let threads = [thread::spawn(wakes), thread::spawn(wakes), thread::spawn(wakes)];
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        return;
    }
    let said = text(&child(|_| {}));
    assert!(said.contains("a busy machine") || !said.contains("has kept its worker"), "{said}");
}

#[test]
fn the_watchdog_is_silent_about_busy_threads_that_give_way() {
    if is_child() {
        for workers in [1, 2] {
            Runtime::builder().workers(workers).watchdog(true).build().unwrap().run(|| {
                let end = std::time::Instant::now() + Duration::from_millis(1500);
                let busy = move || {
                    while std::time::Instant::now() < end {
                        (0..1000).for_each(|n| _ = std::hint::black_box(n));
                        thread::yield_now();
                    }
                };
                let sleeps = move || {
                    while std::time::Instant::now() < end {
                        thread::sleep(Duration::from_millis(1));
                    }
                };
                let threads: Vec<_> =
                    (0..8).flat_map(|_| [thread::spawn(busy), thread::spawn(sleeps)]).collect();
                threads.into_iter().for_each(|thread| thread.join().unwrap());
            });
        }
        return;
    }
    let said = text(&child(|_| {}));
    assert!(!said.contains("again and again"), "{said}");
}
