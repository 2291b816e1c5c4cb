//! What tokio offers, from a green thread's plain code.

use std::{
    cell::Cell,
    io::{Read, Write},
    os::fd::OwnedFd,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use greenthread::{block_on, channel, net, os::unix::net::UnixStream, thread};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::{Semaphore, mpsc, oneshot},
    time::{sleep, timeout},
};

use super::{everywhere, runtime};

#[test]
fn tasks_of_all_kinds() {
    everywhere(|| {
        assert_eq!(block_on(tokio::spawn(async { 1 })).unwrap(), 1);
        let local = Rc::new(Cell::new(0));
        let task = {
            let local = local.clone();
            tokio::task::spawn_local(async move { local.set(2) })
        };
        block_on(task).unwrap();
        assert_eq!(local.get(), 2);
        assert_eq!(block_on(tokio::task::spawn_blocking(|| 3)).unwrap(), 3);
        assert_eq!(block_on(Handle::current().spawn(async { 4 })).unwrap(), 4);
        let panic = block_on(tokio::spawn(async { panic!("of a task") })).unwrap_err();
        assert_eq!(*panic.into_panic().downcast::<&str>().unwrap(), "of a task");
    });
}

#[test]
fn a_task_stays_on_the_worker_and_its_worker_is_the_callers() {
    everywhere(|| {
        let here = std::thread::current().id();
        let task = tokio::spawn(async {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            std::thread::current().id()
        });
        assert_eq!(block_on(task).unwrap(), here);
    });
}

#[test]
fn timers_of_both_sides() {
    everywhere(|| {
        let begin = Instant::now();
        let threads: Vec<_> = (0..20)
            .map(|n| {
                thread::spawn(move || {
                    let time = Duration::from_millis(n);
                    let begin = Instant::now();
                    if n % 2 == 0 {
                        block_on(sleep(time))
                    } else {
                        thread::sleep(time)
                    }
                    assert!(begin.elapsed() >= time);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let never = block_on(timeout(Duration::from_millis(1), std::future::pending::<()>()));
        assert!(never.is_err());
        let (sender, receiver) = channel::bounded::<()>(0);
        assert!(receiver.recv_timeout(Duration::from_millis(1)).is_err());
        drop(sender);
        assert!(begin.elapsed() >= Duration::from_millis(21));
    });
}

#[test]
fn sockets_of_both_sides() {
    everywhere(|| {
        let listener = block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            for _ in 0..100 {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let (mut reader, mut writer) = stream.split();
                    tokio::io::copy(&mut reader, &mut writer).await.unwrap();
                });
            }
        });
        let clients: Vec<_> = (0..100_u8)
            .map(|n| {
                thread::spawn(move || {
                    let mut bytes = Vec::new();
                    if n % 2 == 0 {
                        let mut stream = block_on(TcpStream::connect(address)).unwrap();
                        block_on(stream.write_all(&[n; 1000])).unwrap();
                        block_on(stream.shutdown()).unwrap();
                        block_on(stream.read_to_end(&mut bytes)).unwrap();
                    } else {
                        let mut stream = net::TcpStream::connect(address).unwrap();
                        stream.write_all(&[n; 1000]).unwrap();
                        stream.shutdown(std::net::Shutdown::Write).unwrap();
                        stream.read_to_end(&mut bytes).unwrap();
                    }
                    assert_eq!(bytes, [n; 1000]);
                })
            })
            .collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
        block_on(server).unwrap();
    });
}

/// More sockets get something at once than the worker takes in by one call, and nothing comes after
/// that.
#[test]
fn a_thousand_sockets_of_green_threads_at_once() {
    everywhere(|| {
        let (mut ends, threads): (Vec<_>, Vec<_>) = (0..1000)
            .map(|_| {
                let (reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
                let mut reader = UnixStream::from(OwnedFd::from(reader));
                (writer, thread::spawn(move || reader.read_exact(&mut [0]).unwrap()))
            })
            .unzip();
        thread::sleep(Duration::from_millis(10));
        // std's calls, so that no other thread of the worker runs before all are done.
        ends.iter_mut().for_each(|end| end.write_all(&[1]).unwrap());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn green_threads_and_tasks_talk_in_both_directions() {
    everywhere(|| {
        let (to_task, mut from_green) = mpsc::channel(4);
        let (to_green, from_task) = channel::bounded(4);
        let task = tokio::spawn(async move {
            while let Some(n) = from_green.recv().await {
                to_green.send_async(2 * n).await.unwrap();
            }
        });
        let sender = thread::spawn(move || {
            for n in 0..1000 {
                block_on(to_task.send(n)).unwrap();
            }
        });
        assert_eq!(from_task.iter().sum::<i32>(), 999_000);
        sender.join().unwrap();
        block_on(task).unwrap();
    });
}

#[test]
fn a_task_spawns_green_threads_on_its_runtime_and_awaits_them() {
    everywhere(|| {
        let task = tokio::spawn(async {
            // They find tokio, so they run on this runtime.
            let spawn = |n| thread::spawn(move || block_on(tokio::spawn(async move { n })).unwrap());
            (0..10).map(spawn).collect::<Vec<_>>()
        });
        let threads = block_on(task).unwrap();
        assert_eq!(threads.into_iter().map(|thread| thread.join().unwrap()).sum::<i32>(), 45);
        let awaited = tokio::spawn(async { thread::spawn(|| 5).await.unwrap() });
        assert_eq!(block_on(awaited).unwrap(), 5);
    });
}

#[test]
fn other_os_threads_wake_both() {
    everywhere(|| {
        for _ in 0..100 {
            let (sender, receiver) = oneshot::channel();
            let task = tokio::spawn(async { receiver.await.unwrap() });
            let (green, waits) = channel::bounded(1);
            std::thread::spawn(move || {
                sender.send(1).unwrap();
                green.send(2).unwrap();
            });
            assert_eq!(waits.recv(), Ok(2));
            assert_eq!(block_on(task).unwrap(), 1);
        }
    });
}

#[test]
fn ten_thousand_green_threads_share_tokios_semaphore() {
    everywhere(|| {
        let semaphore = Arc::new(Semaphore::new(10));
        let threads: Vec<_> = (0..10_000)
            .map(|n| {
                let semaphore = semaphore.clone();
                thread::spawn(move || {
                    let _permit = block_on(semaphore.acquire()).unwrap();
                    if n % 16 == 0 {
                        block_on(tokio::task::yield_now());
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(semaphore.available_permits(), 10);
    });
}

#[test]
fn what_is_configured_is_used() {
    use greenthread_tokio::RuntimeExt;

    let runtime = greenthread::Runtime::builder()
        .workers(1)
        .tokio_with(|tokio| _ = tokio.thread_name("of-tokio"))
        .build()
        .unwrap();
    let name = runtime.run(|| {
        block_on(tokio::task::spawn_blocking(|| std::thread::current().name().map(str::to_owned))).unwrap()
    });
    assert_eq!(name.as_deref(), Some("of-tokio"));
}

#[test]
fn in_the_background_for_threads_of_all_kinds() {
    use greenthread_tokio::background;

    let work = || {
        let task = background::block_on(async { tokio::spawn(async { 1 }).await.unwrap() });
        let timer = background::block_on(async {
            sleep(Duration::from_millis(1)).await;
            2
        });
        task + timer
    };
    assert_eq!(work(), 3);
    assert_eq!(greenthread::run(work), 3);
    // Where there is another tokio.
    assert_eq!(runtime(1).run(work), 3);
    assert!(greenthread::run(|| Handle::try_current().is_err()), "no context is left behind");
}
