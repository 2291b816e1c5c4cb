//! std's locks, channels and `park`.

use std::{
    sync::{Arc, Barrier, Condvar, Mutex, Once, RwLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use crate::{
    machine::{Need, lacks},
    on_one_worker, spawn,
};

#[test]
fn a_message_of_std() {
    on_one_worker(|| {
        let (sender, receiver) = mpsc::channel();
        let waits = spawn(move || receiver.recv().unwrap());
        let sends = spawn(move || sender.send(7).unwrap());
        assert_eq!(waits.join().unwrap(), 7);
        sends.join().unwrap();
    });
}

#[test]
fn messages_between_green_and_os_threads() {
    on_one_worker(|| {
        let (there, comes) = mpsc::sync_channel::<u32>(1);
        let (back, goes) = mpsc::sync_channel(1);
        let echo = thread::spawn(move || comes.into_iter().for_each(|number| back.send(number).unwrap()));
        let threads = spawn(move || {
            for number in 0..1000 {
                there.send(number).unwrap();
                assert_eq!(goes.recv().unwrap(), number);
            }
        });
        threads.join().unwrap();
        echo.join().unwrap();
    });
}

#[test]
fn a_mutex_across_a_wait() {
    on_one_worker(|| {
        let count = Arc::new(Mutex::new(0));
        let threads: Vec<_> = (0..100)
            .map(|_| {
                let count = count.clone();
                spawn(move || {
                    for _ in 0..10 {
                        let mut guard = count.lock().unwrap();
                        let before = *guard;
                        thread::yield_now();
                        *guard = before + 1;
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*count.lock().unwrap(), 1000);
    });
}

#[test]
fn a_mutex_between_workers_and_os_threads() {
    if lacks(&[Need::OwnTls]) {
        return;
    }
    let runtime = greenthread::Runtime::builder().workers(2).build().unwrap();
    runtime.run(|| {
        let count = Arc::new((Mutex::new(0), Condvar::new()));
        let body = |count: Arc<(Mutex<u32>, Condvar)>| {
            move || {
                for _ in 0..200 {
                    let mut guard = count.0.lock().unwrap();
                    *guard += 1;
                    count.1.notify_all();
                    while *guard % 3 == 2 {
                        guard = count.1.wait_timeout(guard, Duration::from_millis(1)).unwrap().0;
                        *guard += 1;
                    }
                    drop(guard);
                    thread::yield_now();
                }
            }
        };
        let os: Vec<_> = (0..2).map(|_| thread::spawn(body(count.clone()))).collect();
        let green: Vec<_> = (0..20).map(|_| spawn(body(count.clone()))).collect();
        green.into_iter().for_each(|thread| thread.join().unwrap());
        os.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(*count.0.lock().unwrap() >= 22 * 200);
    });
}

#[test]
fn a_condition_and_its_timeout() {
    on_one_worker(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let theirs = shared.clone();
        let waits = spawn(move || {
            let guard = theirs.0.lock().unwrap();
            drop(theirs.1.wait_while(guard, |ready| !*ready).unwrap());
        });
        let sets = spawn({
            let shared = shared.clone();
            move || {
                *shared.0.lock().unwrap() = true;
                shared.1.notify_one();
            }
        });
        waits.join().unwrap();
        sets.join().unwrap();
        let late = spawn(move || {
            let guard = shared.0.lock().unwrap();
            shared.1.wait_timeout(guard, Duration::from_millis(5)).unwrap().1.timed_out()
        });
        assert!(late.join().unwrap());
    });
}

#[test]
fn park_and_unpark_of_std() {
    on_one_worker(|| {
        let (sender, receiver) = mpsc::channel();
        let parks = spawn(move || {
            sender.send(thread::current()).unwrap();
            thread::park();
            let begin = Instant::now();
            thread::park_timeout(Duration::from_millis(5));
            begin.elapsed()
        });
        let wakes = spawn(move || receiver.recv().unwrap().unpark());
        wakes.join().unwrap();
        assert!(parks.join().unwrap() >= Duration::from_millis(5));
    });
}

#[test]
fn the_other_locks_of_std() {
    on_one_worker(|| {
        let lock = Arc::new(RwLock::new(0));
        let barrier = Arc::new(Barrier::new(20));
        static ONCE: Once = Once::new();
        let threads: Vec<_> = (0..20)
            .map(|number| {
                let (lock, barrier) = (lock.clone(), barrier.clone());
                spawn(move || {
                    ONCE.call_once(thread::yield_now);
                    barrier.wait();
                    if number % 2 == 0 {
                        let mut guard = lock.write().unwrap();
                        thread::yield_now();
                        *guard += 1;
                    } else {
                        let guard = lock.read().unwrap();
                        let before = *guard;
                        thread::yield_now();
                        assert_eq!(before, *guard);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*lock.read().unwrap(), 10);
    });
}

#[test]
fn a_thread_of_std_is_joined() {
    on_one_worker(|| {
        let (sender, receiver) = mpsc::channel();
        let joins = spawn(|| thread::spawn(move || receiver.recv().unwrap()).join().unwrap());
        let sends = spawn(move || sender.send(7).unwrap());
        assert_eq!(joins.join().unwrap(), 7);
        sends.join().unwrap();
    });
}

#[test]
fn scoped_threads_of_std() {
    on_one_worker(|| {
        let sum = spawn(|| {
            let mut numbers = [1, 2, 3];
            thread::scope(|scope| {
                for number in &mut numbers {
                    scope.spawn(move || *number *= 2);
                }
            });
            numbers.iter().sum::<i32>()
        });
        assert_eq!(sum.join().unwrap(), 12);
    });
}
