//! Measures two promises: no thread starves, and two workers do the work of two.
//!
//! The first part has an echo connection beside a thread that only yields and a thread that spawns
//! for ever. It measures how long a byte takes to come back. The second part has requests that cost
//! a fifth of a millisecond of computing each, on one worker and on two.

use std::{
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use greenthread::{
    Runtime,
    net::{TcpListener, TcpStream},
    thread,
};

fn main() -> io::Result<()> {
    for workers in [1, 2] {
        let mut trips = echo_beside_hogs(workers)?;
        trips.sort_unstable();
        let at = |percent: usize| trips[(trips.len() - 1) * percent / 100];
        println!(
            "echo beside a yielder and a spawner, {workers} worker(s): p50 {:?}, p99 {:?}, most {:?}",
            at(50),
            at(99),
            at(100)
        );
    }
    let one = requests_per_second(1)?;
    let two = requests_per_second(2)?;
    println!(
        "requests of 200 us of computing: {one:.0}/s on one worker, {two:.0}/s on two: {:.2} times",
        two / one
    );
    Ok(())
}

/// Returns the times of 2000 round trips of one byte.
fn echo_beside_hogs(workers: usize) -> io::Result<Vec<Duration>> {
    let runtime = Runtime::builder().workers(workers).watchdog(false).build()?;
    let stop = Arc::new(AtomicBool::new(false));
    let hog = |deed: fn()| {
        let stop = stop.clone();
        runtime.spawn(move || {
            while !stop.load(Relaxed) {
                deed();
            }
        })
    };
    let hogs = [
        hog(thread::yield_now),
        hog(|| {
            thread::spawn(|| ());
            thread::yield_now();
        }),
    ];
    let trips = runtime.run(|| {
        let (mut near, mut far) = pair()?;
        thread::spawn(move || {
            let mut byte = [0];
            while far.read_exact(&mut byte).is_ok() && far.write_all(&byte).is_ok() {}
        });
        let trip = |_| {
            let start = Instant::now();
            near.write_all(&[1])?;
            near.read_exact(&mut [0])?;
            Ok(start.elapsed())
        };
        (0..2000).map(trip).collect()
    });
    stop.store(true, Relaxed);
    hogs.into_iter().for_each(|hog| hog.join().expect("a hog"));
    trips
}

/// Returns how many requests of 64 connections are answered per second, measured for two seconds.
fn requests_per_second(workers: usize) -> io::Result<f64> {
    let runtime = Runtime::builder().workers(workers).watchdog(false).build()?;
    let time = Duration::from_secs(2);
    let count = runtime.run(|| {
        let clients: io::Result<Vec<_>> = (0..64)
            .map(|_| {
                let (mut near, mut far) = pair()?;
                thread::spawn(move || {
                    let mut byte = [0];
                    while far.read_exact(&mut byte).is_ok() {
                        compute(Duration::from_micros(200));
                        let _ = far.write_all(&byte);
                    }
                });
                Ok(thread::spawn(move || {
                    let end = Instant::now() + time;
                    let mut count = 0;
                    while Instant::now() < end
                        && near.write_all(&[1]).is_ok()
                        && near.read_exact(&mut [0]).is_ok()
                    {
                        count += 1;
                    }
                    count
                }))
            })
            .collect();
        clients.map(|clients| clients.into_iter().map(|client| client.join().expect("a client")).sum::<u32>())
    })?;
    Ok(f64::from(count) / time.as_secs_f64())
}

/// Computes as many rounds as take `time` on an idle processor. On a busy one they take longer.
fn compute(time: Duration) {
    use std::sync::OnceLock;
    static ROUNDS: OnceLock<f64> = OnceLock::new();
    let turn = |rounds: u64| (0..rounds).fold(1_u64, |x, n| std::hint::black_box(x.wrapping_mul(31) ^ n));
    let per_second = ROUNDS.get_or_init(|| {
        let start = Instant::now();
        turn(5_000_000);
        5_000_000.0 / start.elapsed().as_secs_f64()
    });
    turn((per_second * time.as_secs_f64()) as u64);
}

/// Returns the two ends of one connection.
fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    let (far, _) = listener.accept()?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    Ok((near, far))
}
