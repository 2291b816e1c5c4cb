//! Neither side keeps the other one waiting. These tests hang if that is wrong.

use std::{
    cell::Cell,
    future::poll_fn,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use greenthread::{block_on, channel, thread};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::sleep,
};

use super::{everywhere, runtime};

#[test]
fn green_threads_that_are_always_ready_leave_time_to_tokio() {
    everywhere(|| {
        let done = Arc::new(AtomicBool::new(false));
        let task = {
            let done = done.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    sleep(Duration::from_millis(1)).await;
                    tokio::task::yield_now().await;
                }
                done.store(true, SeqCst);
            })
        };
        let busy: Vec<_> = (0..4)
            .map(|_| {
                let done = done.clone();
                thread::spawn(move || {
                    while !done.load(SeqCst) {
                        thread::yield_now();
                    }
                })
            })
            .collect();
        busy.into_iter().for_each(|thread| thread.join().unwrap());
        block_on(task).unwrap();
    });
}

#[test]
fn tasks_that_are_always_ready_leave_time_to_green_threads() {
    everywhere(|| {
        let busy: Vec<_> = (0..100)
            .map(|_| {
                tokio::spawn(async {
                    loop {
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for _ in 0..20 {
            // Nobody but a task wakes the green thread.
            let (sender, receiver) = oneshot::channel();
            tokio::spawn(async move {
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                sender.send(1).unwrap();
            });
            assert_eq!(block_on(receiver).unwrap(), 1);
            thread::sleep(Duration::from_micros(10));
            let (sender, receiver) = channel::bounded(1);
            tokio::spawn(async move { sender.send_async(2).await.unwrap() });
            assert_eq!(receiver.recv(), Ok(2));
        }
        busy.iter().for_each(|task| task.abort());
    });
}

/// A green thread that waits for long has its turn as soon as another one.
#[test]
fn the_turns_do_not_become_rarer() {
    everywhere(|| {
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(async move {
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_millis(400) {
                tokio::task::yield_now().await;
            }
            sender.send(Instant::now()).unwrap();
            loop {
                tokio::task::yield_now().await;
            }
        });
        // With turns after 10, 160 and 2560 ms this would take two seconds more.
        assert!(block_on(receiver).unwrap().elapsed() < Duration::from_secs(1));
    });
}

/// The same, where each task wakes itself and never meets `yield_now`, and one green thread waits
/// for another OS thread.
#[test]
fn other_os_threads_reach_a_worker_with_busy_tasks() {
    everywhere(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let ended = {
            let stop = stop.clone();
            tokio::spawn(poll_fn(move |context| {
                if stop.load(SeqCst) {
                    return std::task::Poll::Ready(());
                }
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            }))
        };
        let (sender, receiver) = channel::bounded(1);
        std::thread::spawn(move || sender.send(()).unwrap());
        receiver.recv().unwrap();
        stop.store(true, SeqCst);
        block_on(ended).unwrap();
    });
}

/// Each `recv` finds a message at once, so without tokio's budget the future never returns from its
/// first poll.
#[test]
fn a_future_that_never_waits_is_interrupted_by_tokios_budget() {
    everywhere(|| {
        let stop = Rc::new(Cell::new(false));
        let busy = {
            let stop = stop.clone();
            thread::spawn_local(move || {
                block_on(async {
                    let (sender, mut receiver) = mpsc::channel(1);
                    while !stop.get() {
                        sender.send(()).await.unwrap();
                        receiver.recv().await.unwrap();
                    }
                })
            })
        };
        thread::yield_now();
        block_on(sleep(Duration::from_millis(1)));
        stop.set(true);
        busy.join().unwrap();
    });
}

/// All threads together make far more calls in one round than one budget allows.
#[test]
fn each_poll_has_a_budget_of_its_own() {
    runtime(1).run(|| {
        let (sender, mut receiver) = mpsc::channel(1000);
        (0..1000).for_each(|n| sender.try_send(n).unwrap());
        for n in 0..1000 {
            let mut polls = 0;
            let message = block_on(poll_fn(|context| {
                polls += 1;
                receiver.poll_recv(context)
            }));
            assert_eq!((message, polls), (Some(n), 1));
        }
    });
}

/// An idle worker sleeps, also while there are tasks.
#[test]
fn an_idle_worker_wakes_up_a_few_times_and_no_more() {
    runtime(1).run(|| {
        let task = tokio::spawn(std::future::pending::<()>());
        let parks = || Handle::current().metrics().worker_park_count(0);
        thread::sleep(Duration::from_millis(20));
        let before = parks();
        thread::sleep(Duration::from_millis(300));
        let woken = parks() - before;
        assert!(woken < 30, "{woken} times in 300 ms");
        task.abort();
    });
}

/// No task of the runtime is alive, so no timer helps.
#[test]
fn sockets_and_timers_without_any_task() {
    everywhere(|| {
        let listener = block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = block_on(listener.accept()).unwrap();
            let mut bytes = [0; 4];
            for _ in 0..100 {
                block_on(stream.read_exact(&mut bytes)).unwrap();
                block_on(sleep(Duration::from_micros(1)));
                block_on(stream.write_all(&bytes)).unwrap();
            }
        });
        let mut stream = block_on(TcpStream::connect(address)).unwrap();
        for n in 0..100_u32 {
            let mut bytes = [0; 4];
            block_on(stream.write_all(&n.to_ne_bytes())).unwrap();
            block_on(stream.read_exact(&mut bytes)).unwrap();
            assert_eq!(bytes, n.to_ne_bytes());
        }
        server.join().unwrap();
    });
}

/// A task and a green thread of one worker wake each other. If the worker did not notice, it would
/// sleep until its timer fires.
#[test]
fn the_worker_does_not_sleep_while_a_task_and_a_green_thread_talk() {
    runtime(1).run(|| {
        let (to_task, mut from_green) = mpsc::channel::<u32>(1);
        let (to_green, from_task) = channel::bounded(1);
        tokio::spawn(async move {
            while let Some(n) = from_green.recv().await {
                to_green.send_async(n).await.unwrap();
            }
        });
        let before = Handle::current().metrics().worker_park_count(0);
        for n in 0..200 {
            block_on(to_task.send(n)).unwrap();
            assert_eq!(from_task.recv(), Ok(n));
        }
        let slept = Handle::current().metrics().worker_park_count(0) - before;
        assert!(slept < 100, "{slept} times");
    });
}
