//! Parking and sleeping, on green threads and on OS threads.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use greenthread::thread::{self};

use crate::common::{everywhere, runtime};

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
