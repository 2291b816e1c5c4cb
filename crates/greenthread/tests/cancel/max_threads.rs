//! The limit of a runtime's live threads.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use greenthread::{Runtime, cancel, channel, thread};

use crate::{
    common::{child, is_child, text, worker_counts, world::time_limit},
    limits::Census,
};

const SHORT: Duration = Duration::from_millis(2);

/// Runs a test with runtimes of several sizes, with this limit.
#[track_caller]
fn each(limit: usize, test: impl Fn(&Runtime)) {
    for workers in worker_counts(&[1, 2, 8]) {
        let _guard = time_limit(format!(
            "{workers} workers, at most {limit} threads, in {}",
            crate::common::test_name()
        ));
        test(&Runtime::builder().workers(workers).max_threads(limit).build().unwrap());
    }
}

/// Waits on an OS thread for something that comes soon.
fn wait_until(holds: impl Fn() -> bool) {
    while !holds() {
        std::thread::sleep(Duration::from_micros(100));
    }
}

#[test]
fn no_more_than_the_limit_live_at_a_time() {
    for limit in [1, 3, 16] {
        each(limit, |runtime| {
            let (census, ended) = (Arc::new(Census::default()), Arc::new(AtomicUsize::new(0)));
            let life = {
                let (census, ended) = (census.clone(), ended.clone());
                move || {
                    census.live(|| (0..3).for_each(|_| thread::yield_now()));
                    ended.fetch_add(1, SeqCst);
                }
            };
            // OS threads are blocked.
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| (0..30).for_each(|_| drop(runtime.spawn(life.clone()))));
                }
            });
            // A green thread is parked.
            if limit > 1 {
                let life = &life;
                runtime.run(|| census.live(|| (0..30).for_each(|_| drop(thread::spawn(life.clone())))));
            }
            wait_until(|| ended.load(SeqCst) == if limit > 1 { 120 } else { 90 });
            assert!(census.most.load(SeqCst) <= limit, "{} of {limit}", census.most.load(SeqCst));
        });
    }
}

#[test]
fn all_places_are_used() {
    each(5, |runtime| {
        // Five threads that wait for each other.
        let barrier = Arc::new(greenthread::sync::Barrier::new(5));
        let threads: Vec<_> = (0..5)
            .map(|_| {
                let barrier = barrier.clone();
                runtime.spawn(move || _ = barrier.wait())
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn every_kind_of_thread_has_a_place_and_gives_it_back() {
    each(3, |runtime| {
        for _ in 0..20 {
            runtime.run(|| {
                thread::spawn_local(|| ()).join().unwrap();
                thread::scope(|scope| scope.spawn(thread::yield_now).join().unwrap());
                // Run on its joiner's stack, perhaps.
                thread::spawn(|| thread::spawn(|| ()).join().unwrap()).join().unwrap();
                let panics = thread::spawn(|| std::panic::resume_unwind(Box::new("boom")));
                assert!(panics.join().is_err());
                let cancelled = thread::spawn(thread::park);
                cancelled.cancel();
                assert!(cancelled.join().is_err());
                let refused = thread::Builder::new().stack_size(0).spawn(|| ()).unwrap_err();
                assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
            });
            assert!(runtime.spawn(|| cancel::race([|| 7])).join().is_ok_and(|seven| seven == 7));
        }
    });
}

#[test]
fn to_spawn_at_the_limit_is_a_cancellation_point() {
    each(2, |runtime| {
        let (go, may_go) = channel::bounded::<()>(0);
        let holder = runtime.spawn(move || _ = may_go.recv());
        let spawner = runtime.spawn(|| {
            for _ in 0..3 {
                assert!(cancel::timeout(SHORT, || thread::spawn(|| ())).is_err());
            }
            thread::spawn(|| ())
        });
        std::thread::sleep(SHORT * 10);
        assert!(!spawner.is_finished(), "it waits for a place");
        spawner.cancel();
        assert!(spawner.join().unwrap_err().is::<cancel::Cancelled>());
        // An OS thread is blocked, and its wait ends too.
        let second = runtime.spawn(thread::park);
        assert!(cancel::timeout(SHORT, || runtime.spawn(|| ())).is_err());
        second.thread().unpark();
        second.join().unwrap();
        go.send(()).unwrap();
        holder.join().unwrap();
        assert_eq!(runtime.run(|| thread::spawn(|| 7)).join().unwrap(), 7);
    });
}

#[test]
fn a_wait_that_can_never_end_is_an_error() {
    each(1, |runtime| {
        let error = runtime.run(|| thread::Builder::new().spawn(|| ())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
        assert!(error.to_string().contains("max_threads"), "{error}");
        let local = runtime.run(|| thread::Builder::new().spawn_local(|| ()).map(drop)).unwrap_err();
        assert_eq!(local.kind(), io::ErrorKind::QuotaExceeded);
        // It has its place.
        assert_eq!(runtime.run(|| 7), 7);
    });
    each(3, |runtime| {
        // Three threads live, and each spawns another one.
        let (said, says) = mpsc::channel();
        let all_live = Arc::new(greenthread::sync::Barrier::new(3));
        for _ in 0..3 {
            let (said, all_live) = (said.clone(), all_live.clone());
            drop(runtime.spawn(move || {
                all_live.wait();
                let child = thread::Builder::new().spawn(|| ());
                said.send(child.map(drop).map_err(|error| error.kind())).unwrap();
            }));
        }
        drop(said);
        let mut all: Vec<_> = says.iter().collect();
        all.sort_by_key(Result::is_ok);
        assert_eq!(all, [Err(io::ErrorKind::QuotaExceeded), Ok(()), Ok(())]);
    });
}

#[test]
fn a_tree_that_joins_ends_by_its_deadline() {
    // What is documented: parents that join their children keep their places. One of them is told
    // that it can't go on, or all wait until they are cancelled.
    fn tree(depth: u32) -> u32 {
        if depth == 0 {
            return 1;
        }
        let threads = [(); 2].map(|()| thread::Builder::new().spawn(move || tree(depth - 1)));
        threads.into_iter().flatten().map(|thread| thread.join().unwrap_or(0)).sum()
    }
    each(1000, |runtime| assert_eq!(runtime.run(|| tree(6)), 64));
    for workers in worker_counts(&[1, 2, 8]) {
        let _guard = time_limit(format!("a tree on {workers} workers"));
        let runtime = Runtime::builder().workers(workers).max_threads(3).cancellable(true).build().unwrap();
        let leaves = runtime.run(|| cancel::timeout(SHORT * 10, || tree(6)));
        assert!(leaves.is_err() || leaves.is_ok_and(|leaves| leaves < 64));
        assert_eq!(runtime.shutdown_cancel(Duration::ZERO, Duration::from_secs(600)), 0);
    }
}

#[test]
fn wrong_limits_are_refused() {
    if is_child() {
        let error = Runtime::builder().build().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        return assert!(error.to_string().contains("GREENTHREAD_MAX_THREADS"), "{error}");
    }
    for limit in [0, usize::MAX] {
        let error = Runtime::builder().max_threads(limit).build().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("from 1 to"), "{error}");
    }
    for wrong in ["0", "many", "-1"] {
        let out = child(|command| _ = command.env("GREENTHREAD_MAX_THREADS", wrong));
        assert!(out.status.success(), "{}", text(&out));
    }
}

#[test]
fn the_default_runtime_takes_its_limit_from_the_environment() {
    if !is_child() {
        let out = child(|command| _ = command.env("GREENTHREAD_MAX_THREADS", "1"));
        return assert!(out.status.success(), "{}", text(&out));
    }
    let error = greenthread::run(|| thread::Builder::new().spawn(|| ())).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
}
