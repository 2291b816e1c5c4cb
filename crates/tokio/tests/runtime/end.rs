//! How a runtime with tokio ends, and how it fails to begin.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use greenthread::{Runtime, block_on, os::unix::event_loop::EventLoop, thread};
use tokio::time::sleep;

use super::runtime;

/// Counts its drops.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn green_threads_are_waited_for_and_tasks_are_dropped() {
    for workers in [1, 2] {
        let (threads, tasks) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let runtime = runtime(workers);
        for _ in 0..10 {
            let (thread, task) = (Counted(threads.clone()), Counted(tasks.clone()));
            runtime.spawn(move || {
                tokio::spawn(async {
                    std::future::pending::<()>().await;
                    drop(task);
                });
                block_on(sleep(Duration::from_millis(2)));
                drop(thread);
            });
        }
        drop(runtime);
        assert_eq!((threads.load(SeqCst), tasks.load(SeqCst)), (10, 10));
    }
}

#[test]
fn cancelled_threads_let_go_of_their_futures() {
    let runtime = Runtime::builder().workers(1).cancellable(true);
    let runtime = greenthread_tokio::RuntimeExt::tokio(runtime).build().unwrap();
    let drops = Arc::new(AtomicUsize::new(0));
    for _ in 0..10 {
        let counted = Counted(drops.clone());
        runtime.spawn(move || {
            block_on(async {
                sleep(Duration::from_secs(3600)).await;
                drop(counted);
            });
        });
    }
    assert_eq!(runtime.shutdown_cancel(Duration::from_millis(5), Duration::from_secs(60)), 0);
    assert_eq!(drops.load(SeqCst), 10);
}

#[test]
fn a_hundred_runtimes_one_after_the_other_and_two_at_a_time() {
    for _ in 0..50 {
        let (one, two) = (runtime(2), runtime(1));
        let thread = one.spawn(|| block_on(tokio::spawn(async { thread::current().id() })).unwrap());
        assert_eq!(two.run(|| block_on(sleep(Duration::ZERO))), ());
        thread.join().unwrap();
    }
}

#[test]
fn an_event_loop_that_fails_is_an_error() {
    for workers in [1, 3] {
        let failing =
            Runtime::builder().workers(workers).event_loop(|_| Err(std::io::Error::other("why not")));
        assert_eq!(failing.build().unwrap_err().to_string(), "why not");
        let idle = Runtime::builder().workers(workers).event_loop(|_| Ok(()));
        assert!(idle.build().unwrap_err().to_string().contains("has not run its worker"));
    }
}

/// The simplest event loop: it returns at once, and says each time that there may be events.
#[derive(Debug)]
struct Spins;

impl EventLoop for Spins {
    fn wait(&self, _: Option<Duration>) -> bool {
        true
    }
}

#[test]
fn an_event_loop_may_return_early() {
    let runtime = Runtime::builder()
        .workers(2)
        .event_loop(|worker| {
            worker.run(&Spins);
            Ok(())
        })
        .build()
        .unwrap();
    runtime.run(|| thread::sleep(Duration::from_millis(5)));
}
