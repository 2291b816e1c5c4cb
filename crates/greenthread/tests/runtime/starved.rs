//! More threads at once than there is room for. The spawn returns an error, or there is a report.

use std::{
    io,
    process::Command,
    time::{Duration, Instant},
};

use greenthread::{
    Runtime,
    sync::{Arc, Barrier},
    thread,
};

use crate::common::{child, is_child, test_name, text};
#[cfg(unix)]
use crate::common::{
    leave_addresses,
    machine::{Need, lacks},
};

/// Builds a runtime. The number of workers comes from the environment.
fn build() -> Runtime {
    Runtime::builder().stack_size(256 << 10).build().unwrap()
}

/// Runs the test in processes of its own, with one worker and with two.
fn children(set: impl Fn(&mut Command) + Sync) -> [String; 2] {
    let (name, set) = (test_name(), &set);
    // Both at a time, as they mostly wait.
    std::thread::scope(|scope| {
        let children = ["1", "2"].map(|workers| {
            // Which test a child runs is said by its starter's name.
            let starter = std::thread::Builder::new().name(name.clone());
            let run = move || {
                child(|command| {
                    // glibc would take 64 MiB of the addresses that are left for each OS thread
                    // that comes to allocate, sooner or later.
                    command.env("GREENTHREAD_WORKERS", workers).env("MALLOC_ARENA_MAX", "1");
                    set(command);
                })
            };
            (workers, starter.spawn_scoped(scope, run).unwrap())
        });
        children.map(|(workers, child)| {
            let out = child.join().unwrap();
            let said = text(&out);
            assert!(out.status.success() && said.contains("came through"), "{workers} workers: {said}");
            said
        })
    })
}

/// Has `count` threads wait for each other. The error is that of the spawn that has failed, and the
/// number of spawns before it.
fn meet(count: usize) -> Result<(), (usize, io::Error)> {
    let barrier = Arc::new(Barrier::new(count));
    let mut threads = Vec::new();
    for spawned in 0..count {
        let barrier = barrier.clone();
        match thread::Builder::new().spawn(move || {
            barrier.wait();
        }) {
            Ok(thread) => threads.push(thread),
            Err(error) => return Err((spawned, error)),
        }
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    Ok(())
}

#[cfg(unix)]
#[test]
fn where_addresses_are_limited_the_spawn_fails() {
    if lacks(&[Need::OwnMemory]) {
        return;
    }
    if is_child() {
        let runtime = build();
        runtime.run(|| ());
        leave_addresses(300_000_000);
        let (spawned, error) = runtime.run(|| meet(2000)).unwrap_err();
        println!("after {spawned}: {error}");
        assert!((500..1000).contains(&spawned), "{spawned}");
        // The threads that were promised a stack get one.
        std::thread::sleep(Duration::from_secs(2));
        println!("came through");
        // Threads still wait at the barrier.
        std::process::exit(0);
    }
    for said in children(|_| ()) {
        assert!(said.contains("ulimit -v") && !said.contains("waited for a stack"), "{said}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn where_maps_are_limited_the_spawn_fails() {
    let maps = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
    // With more maps this takes too long, and a 32-bit process has no addresses for so many stacks.
    if maps.trim().parse::<usize>().unwrap() > 70_000 || usize::BITS == 32 {
        return;
    }
    if is_child() {
        let runtime = build();
        let (spawned, error) = runtime.run(|| meet(40_000)).unwrap_err();
        println!("after {spawned}: {error}");
        assert!((30_000..32_000).contains(&spawned), "{spawned}");
        println!("came through");
        // Threads still wait at the barrier.
        std::process::exit(0);
    }
    let mprotect = |command: &mut Command| {
        command.env("GREENTHREAD_STACK_GUARD", "mprotect");
    };
    for said in children(mprotect) {
        assert!(said.contains("vm.max_map_count") && !said.contains("waited for a stack"), "{said}");
    }
}

/// There is room for a hundred threads, and thousands are spawned as others end. No spawn is
/// refused.
#[cfg(unix)]
#[test]
fn what_has_ended_makes_room() {
    if lacks(&[Need::OwnMemory]) {
        return;
    }
    if is_child() {
        let runtime = build();
        runtime.run(|| ());
        leave_addresses(200_000_000);
        runtime.run(|| {
            for _ in 0..50 {
                meet(200).unwrap();
            }
            // The room is used for stacks of one size, then of another.
            for _ in 0..10 {
                let big = |_| thread::Builder::new().stack_size(8 << 20).spawn(thread::yield_now).unwrap();
                let all: Vec<_> = (0..10).map(big).collect();
                all.into_iter().for_each(|thread| thread.join().unwrap());
                meet(100).unwrap();
            }
        });
        println!("came through");
        return;
    }
    children(|_| ());
}

/// The rest of the process takes the address space that was promised.
#[cfg(unix)]
#[test]
fn a_broken_promise_is_reported_and_the_worker_does_not_wake_for_ever() {
    if lacks(&[Need::OwnMemory]) {
        return;
    }
    if is_child() {
        let runtime = build();
        runtime.run(|| ());
        runtime.spawn(|| {
            let barrier = Arc::new(Barrier::new(2000));
            let threads: Vec<_> = (0..2000)
                .map(|i| {
                    let barrier = barrier.clone();
                    let builder = thread::Builder::new().name(format!("number {i}"));
                    builder
                        .spawn(move || {
                            barrier.wait();
                        })
                        .unwrap()
                })
                .collect();
            leave_addresses(100_000_000);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        std::thread::sleep(Duration::from_secs(4));
        let switches = || {
            let tasks = std::fs::read_dir("/proc/self/task").unwrap();
            let one = |task: io::Result<std::fs::DirEntry>| {
                let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
                let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
                line.unwrap().trim().parse::<u64>().unwrap()
            };
            tasks.map(one).sum::<u64>()
        };
        let (before, begin) = (switches(), Instant::now());
        std::thread::sleep(Duration::from_secs(2));
        let wakes = switches() - before;
        // With a retry every twenty milliseconds there would be a hundred.
        assert!(wakes <= 10 * begin.elapsed().as_secs(), "{wakes} wake-ups");
        println!("came through");
        std::process::exit(0);
    }
    // With a second worker others would start while the first one spawns.
    let out = child(|command| {
        command.env("GREENTHREAD_WATCHDOG", "0").env("GREENTHREAD_WORKERS", "1");
    });
    let said = text(&out);
    assert!(out.status.success() && said.contains("came through"), "{said}");
    for part in ["'number ", "starved.rs:", "others have waited for a stack", "ulimit -v", "stack_size"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(said.matches("waited for a stack").count(), 1, "{said}");
}
