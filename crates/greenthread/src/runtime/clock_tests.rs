//! Threads whose runtime has a test clock. Hours pass at once, and exactly: a place that asked
//! another clock would show.

use std::{
    io::{self, Read, Write},
    sync::{Arc, Mutex},
};

use super::Runtime;
use crate::{
    channel,
    net::{TcpListener, TcpStream, UdpSocket},
    sync::{self, Semaphore, mpmc, mpsc, nonpoison, oneshot, raw},
    task::{
        clock::test_clock::TestClock,
        time::{deadline_after, now},
    },
    thread,
    time::{Duration, Instant},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn runtime(workers: usize, jumps: bool) -> (Runtime, Arc<TestClock>) {
    let clock = TestClock::new(workers, jumps);
    (Runtime::builder().workers(workers).test_clock(clock.clone()).build().unwrap(), clock)
}

/// Runs `f` on a thread of a runtime whose clock jumps, and checks that almost no time passes
/// elsewhere.
fn run<R: Send + 'static>(workers: usize, f: impl FnOnce() -> R + Send + 'static) -> R {
    let start = Instant::now();
    let result = runtime(workers, true).0.run(f);
    assert!(start.elapsed() < 5 * MINUTE, "{:?} have passed off the runtime", start.elapsed());
    result
}

/// How much time passes, as the caller sees it, until `f` is back.
fn time_of(f: impl FnOnce()) -> Duration {
    let start = Instant::now();
    f();
    start.elapsed()
}

fn is_timeout<T>(result: &io::Result<T>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

#[test]
fn a_sleep_takes_as_long_as_it_should() {
    for workers in [1, 2] {
        let took = run(workers, || {
            [HOUR, Duration::from_nanos(1), 10_000 * HOUR].map(|time| time_of(|| thread::sleep(time)))
        });
        assert_eq!(took, [HOUR, Duration::from_nanos(1), 10_000 * HOUR]);
        let took = run(workers, || time_of(|| thread::sleep_until(Instant::now() + HOUR)));
        assert_eq!(took, HOUR);
    }
}

#[test]
fn sleeps_end_in_order() {
    const HOURS: [u32; 8] = [5, 1, 7, 3, 8, 2, 6, 4];
    for workers in [1, 3] {
        let (ends, took) = run(workers, || {
            let ends = Arc::new(Mutex::new(Vec::new()));
            let start = Instant::now();
            let sleeper = |hours: u32| {
                let ends = ends.clone();
                thread::spawn(move || {
                    thread::sleep_until(start + hours * HOUR);
                    ends.lock().unwrap().push((hours, start.elapsed()));
                })
            };
            HOURS.map(sleeper).into_iter().for_each(|sleeper| sleeper.join().unwrap());
            let ends = ends.lock().unwrap().clone();
            (ends, start.elapsed())
        });
        assert_eq!(ends, (1..=8).map(|hours| (hours, hours * HOUR)).collect::<Vec<_>>());
        assert_eq!(took, 8 * HOUR);
    }
}

/// Of each, how long it takes.
fn timeouts() -> Vec<(&'static str, Duration)> {
    let (mutex, condvar) = (sync::Mutex::new(()), sync::Condvar::new());
    let (plain, plain_condvar) = (nonpoison::Mutex::new(()), nonpoison::Condvar::new());
    let (raw_mutex, raw_rwlock) = (raw::mutex::RawMutex::new(), raw::rwlock::RawRwLock::new());
    let semaphore = Semaphore::new(1);
    let _permit = semaphore.acquire();
    let (_mpsc, from_mpsc) = mpsc::channel::<()>();
    let (_mpmc, from_mpmc) = mpmc::channel::<()>();
    let (_oneshot, from_oneshot) = oneshot::channel::<()>();
    let (_channel, from_channel) = channel::unbounded::<()>();
    let (full, _receiver) = channel::bounded(1);
    full.send(()).unwrap();
    let worker_id = raw::lock_guard::worker_id();
    raw_mutex.lock(worker_id);
    raw_rwlock.write(worker_id);
    let locked = |lock: &(dyn Fn() -> bool + Sync)| {
        thread::scope(|scope| assert!(!scope.spawn(lock).join().unwrap()));
    };

    let mut took = Vec::new();
    let mut add = |what, wait: &dyn Fn()| took.push((what, time_of(wait)));
    add("park", &|| thread::park_timeout(HOUR));
    add("condvar", &|| {
        let (_guard, result) = condvar.wait_timeout(mutex.lock().unwrap(), HOUR).unwrap();
        assert!(result.timed_out());
    });
    add("condvar's loop", &|| {
        let waits = condvar.wait_timeout_while(mutex.lock().unwrap(), HOUR, |()| true);
        assert!(waits.unwrap().1.timed_out());
    });
    add("nonpoison condvar", &|| {
        let mut guard = plain.lock();
        assert!(plain_condvar.wait_timeout(&mut guard, HOUR).timed_out());
    });
    add("nonpoison condvar's loop", &|| {
        let mut guard = plain.lock();
        assert!(plain_condvar.wait_timeout_while(&mut guard, HOUR, |()| true).timed_out());
    });
    add("semaphore", &|| assert!(semaphore.acquire_timeout(HOUR).is_none()));
    add("mutex", &|| locked(&|| raw_mutex.lock_until(worker_id, deadline_after(HOUR))));
    add("rwlock, reading", &|| locked(&|| raw_rwlock.read_until(worker_id, deadline_after(HOUR))));
    add("rwlock, writing", &|| locked(&|| raw_rwlock.write_until(worker_id, deadline_after(HOUR))));
    add("mpsc", &|| assert!(from_mpsc.recv_timeout(HOUR).is_err()));
    add("mpmc", &|| assert!(from_mpmc.recv_timeout(HOUR).is_err()));
    let from_oneshot = Mutex::new(Some(from_oneshot));
    add("oneshot", &|| assert!(from_oneshot.lock().unwrap().take().unwrap().recv_timeout(HOUR).is_err()));
    add("channel", &|| assert!(from_channel.recv_timeout(HOUR).is_err()));
    add("channel, deadline", &|| assert!(from_channel.recv_deadline(Instant::now() + HOUR).is_err()));
    add("channel, sending", &|| assert!(full.send_timeout((), HOUR).is_err()));
    add("never", &|| assert!(channel::never::<()>().recv_timeout(HOUR).is_err()));
    add("after", &|| {
        let start = Instant::now();
        assert_eq!(channel::after(HOUR).recv(), Ok(start + HOUR));
    });
    add("at", &|| {
        let at = channel::at(Instant::now() + HOUR);
        assert!(at.is_empty() && at.recv().is_ok());
    });
    add("tick", &|| {
        let start = Instant::now();
        let ticks: Vec<_> = channel::tick(HOUR / 3).iter().take(3).collect();
        assert_eq!(ticks, [start + HOUR / 3, start + 2 * HOUR / 3, start + HOUR]);
    });
    add("select, default", &|| {
        channel::select! {
            recv(from_channel) -> _ => unreachable!(),
            send(full, ()) -> _ => unreachable!(),
            default(HOUR) => {}
        }
    });
    add("select, after", &|| {
        channel::select! {
            recv(from_channel) -> _ => unreachable!(),
            recv(channel::after(2 * HOUR)) -> _ => unreachable!(),
            recv(channel::after(HOUR)) -> due => assert_eq!(due, Ok(Instant::now())),
        }
    });
    add("select's list", &|| {
        let mut select = channel::Select::new();
        select.recv(&from_channel);
        assert!(select.select_timeout(HOUR).is_err());
    });
    took
}

#[test]
fn all_timeouts_take_as_long_as_they_should() {
    for workers in [1, 2] {
        for (what, took) in run(workers, timeouts) {
            assert_eq!(took, HOUR, "{what}, with {workers} workers");
        }
    }
}

#[test]
fn sockets_time_out() {
    let took = run(1, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_read_timeout(Some(3 * HOUR)).unwrap();
        stream.set_write_timeout(Some(4 * HOUR)).unwrap();
        let read = time_of(|| assert!(is_timeout(&stream.read(&mut [0]))));
        // The write that times out may have sent a part.
        let write = time_of(|| while stream.write(&[0; 4096]).is_ok_and(|sent| sent == 4096) {});
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.set_read_timeout(Some(5 * HOUR)).unwrap();
        [read, write, time_of(|| assert!(is_timeout(&udp.recv(&mut [0]))))]
    });
    let [read, write, udp] = took;
    assert_eq!((read, udp), (3 * HOUR, 5 * HOUR));
    // The kernel may make room only when the clock has moved. Then the write is as late, and
    // another one times out.
    assert!(write >= 4 * HOUR && write.as_secs().is_multiple_of((4 * HOUR).as_secs()), "{write:?}");
}

#[test]
fn what_comes_before_the_timeout_comes() {
    let (message, bytes) = run(1, || {
        let (sender, receiver) = channel::unbounded();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let peer = thread::spawn(move || {
            thread::sleep(HOUR);
            sender.send("message").unwrap();
            thread::sleep(HOUR);
            let mut stream = TcpStream::connect_timeout(&address, HOUR).unwrap();
            thread::sleep(HOUR);
            stream.write_all(b"bytes").unwrap();
        });
        let message = time_of(|| assert_eq!(receiver.recv_timeout(2 * HOUR), Ok("message")));
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(3 * HOUR)).unwrap();
        let bytes = time_of(|| {
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            assert_eq!(text, "bytes");
        });
        peer.join().unwrap();
        (message, bytes)
    });
    assert_eq!((message, bytes), (HOUR, HOUR));
}

#[test]
fn a_shutdown_waits_by_the_clock_of_its_caller() {
    let other = Runtime::builder().workers(1).build().unwrap();
    let parked = other.spawn(thread::park);
    let took = run(1, || time_of(|| assert!(!other.shutdown_timeout(HOUR))));
    assert_eq!(took, HOUR);
    parked.thread().unpark();
    parked.join().unwrap();
}

#[test]
fn a_clock_that_is_moved_by_hand_moves_not_otherwise() {
    for workers in [1, 2] {
        let (runtime, clock) = runtime(workers, false);
        let sleeper = runtime.spawn(|| time_of(|| thread::sleep(HOUR)));
        let look = || {
            std::thread::sleep(Duration::from_millis(20));
            sleeper.is_finished()
        };
        assert!(!look());
        clock.advance(59 * MINUTE);
        assert!(!look());
        // In case the thread has not come to sleep before.
        while !look() {
            clock.advance(MINUTE);
        }
        let took = sleeper.join().unwrap();
        assert!((HOUR..2 * HOUR).contains(&took), "{took:?}");
    }
}

#[test]
fn while_the_os_thread_is_blocked_time_passes() {
    const SHORT: Duration = Duration::from_millis(3);
    let took = run(1, || {
        // From here on the clock of the operating system is far behind.
        thread::sleep(HOUR);
        let (_sender, receiver) = mpsc::channel::<()>();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket2::SockRef::from(&listener).set_read_timeout(Some(SHORT)).unwrap();
        let listener = TcpListener::from(listener);
        thread::without_yield(|| {
            [
                time_of(|| thread::sleep(SHORT)),
                time_of(|| thread::park_timeout(SHORT)),
                time_of(|| assert!(receiver.recv_timeout(SHORT).is_err())),
                time_of(|| assert!(is_timeout(&listener.accept()))),
                time_of(|| assert!(channel::after(SHORT).recv().is_ok())),
            ]
        })
    });
    assert!(took.iter().all(|took| (SHORT..HOUR).contains(took)), "{took:?}");
}

#[test]
fn off_the_runtime_it_is_the_operating_systems() {
    let (before, between, after) = (std::time::Instant::now(), now(), std::time::Instant::now());
    assert!((before..=after).contains(&between));
    assert_eq!(deadline_after(Duration::MAX), None);
}
