//! The memory of a burst of threads goes back to the system within seconds. Then the workers sleep.
//!
//! Linux only: it reads `/proc`.

use std::{
    fs,
    time::{Duration, Instant},
};

use greenthread::{Runtime, channel, thread};

use crate::{
    alone,
    common::{
        machine::{Need, lacks},
        runtime,
    },
};

/// The physical memory of the process, in bytes.
fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").expect("statm");
    statm.split(' ').nth(1).expect("pages").parse::<usize>().expect("a number") * rustix::param::page_size()
}

/// The number of times that OS threads of the process have gone to sleep.
fn sleeps() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").expect("the tasks");
    let status = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok());
    let sleeps = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        line.trim().parse::<u64>().ok()
    };
    status.filter_map(sleeps).sum()
}

/// Whether each guard takes two of the maps that the kernel grants a process. Then there can be
/// some 30,000 stacks.
fn guards_take_maps() -> bool {
    const GUARD_INSTALL: libc::c_int = 102;
    let page = rustix::param::page_size();
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: the calls concern a new page alone, which nobody touches.
    unsafe {
        let at = libc::mmap(std::ptr::null_mut(), page, protection, flags, -1, 0);
        assert_ne!(at, libc::MAP_FAILED);
        let is_refused = libc::madvise(at, page, GUARD_INSTALL) != 0;
        libc::munmap(at, page);
        is_refused
    }
}

/// Many parked threads. Half of them sleep with a deadline, the other half without.
fn parked() {
    // A 32-bit process has no addresses for so many stacks.
    let many = if usize::BITS == 64 && !guards_take_maps() { 50_000 } else { 5000 };
    let threads: Vec<_> = (0..many)
        .map(|n| {
            thread::spawn(move || {
                if n % 2 == 0 {
                    thread::park_timeout(Duration::from_secs(60));
                } else {
                    thread::park();
                }
            })
        })
        .collect();
    while threads.iter().any(|thread| !thread.is_finished()) {
        threads.iter().for_each(|thread| thread.thread().unpark());
        thread::sleep(Duration::from_millis(1));
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Many threads, a few at a time. One thread spawns them, and the workers that have run them free
/// them.
fn many_in_a_row() {
    let (sender, receiver) = channel::bounded::<()>(256);
    let spawner = thread::spawn(move || {
        for _ in 0..300_000 {
            let there = sender.clone();
            sender.send(()).unwrap();
            thread::spawn(move || {
                thread::yield_now();
                drop(there);
            });
        }
    });
    for n in 0.. {
        if receiver.recv().is_err() {
            break;
        }
        if n % 64 == 0 {
            thread::yield_now();
        }
    }
    spawner.join().unwrap();
}

/// Threads that use much of their stacks.
fn deep() {
    fn touch() -> usize {
        let room = std::hint::black_box([1_u8; 100 << 10]);
        thread::yield_now();
        room.iter().map(|&byte| usize::from(byte)).sum()
    }
    let threads: Vec<_> = (0..400).map(|_| thread::spawn(touch)).collect();
    threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), 100 << 10));
}

#[test]
fn bursts_leave_nothing_behind() {
    if lacks(&[Need::OwnMemory]) {
        return;
    }
    alone(|| {
        const MORE: usize = 6 << 20;
        let stacks = [("deep stacks", 1, deep as fn()), ("many in a row", 4, many_in_a_row)];
        let blocks = [("parked", 1, parked as fn()), ("parked", 2, parked)];
        let blocks = if lacks(&[Need::HeapTrim]) { &[] } else { &blocks[..] };
        for &(name, workers, burst) in stacks.iter().chain(blocks) {
            let runtime: Runtime = runtime(workers);
            runtime.run(|| (0..100).map(|_| thread::spawn(|| ())).for_each(|thread| thread.join().unwrap()));
            let (before, limit) = (resident(), Instant::now() + Duration::from_secs(60));
            runtime.run(burst);
            let burst = resident();
            while resident() > before + MORE {
                let after = resident() >> 10;
                assert!(
                    Instant::now() < limit,
                    "{name}: {} KiB before, {} after, and {after} now",
                    before >> 10,
                    burst >> 10
                );
                std::thread::sleep(Duration::from_millis(100));
            }
            // Waits until no worker is woken any more.
            loop {
                let before = sleeps();
                std::thread::sleep(Duration::from_millis(1500));
                // One is this thread's own sleep.
                if sleeps() - before <= 3 {
                    break;
                }
                assert!(
                    Instant::now() < limit + Duration::from_secs(30),
                    "{name}: the workers are woken for ever"
                );
            }
            eprintln!(
                "{name}, {workers} workers: {} KiB, {} after, then {}",
                before >> 10,
                burst >> 10,
                resident() >> 10
            );
        }
    });
}
