//! Chapter 28: the same work by the threads of chapter 6 and by tasks. Linux counts the memory.

use std::hint::black_box;
use std::path::Path;
use std::pin::Pin;
use std::process::Command;
use std::task::{Context, Waker};

#[allow(dead_code)]
mod toy {
    include!(concat!(env!("OUT_DIR"), "/main.rs"));

    /// What a suspended thread takes that keeps `SIZE` bytes.
    pub(crate) fn memory<const SIZE: usize>() -> usize {
        let before = super::resident();
        for _ in 0..super::COUNT {
            spawn(|| {
                let mut kept = [0_u8; SIZE];
                yield_now();
                std::hint::black_box(&mut kept);
            });
        }
        let after = std::rc::Rc::new(Cell::new(0));
        let theirs = after.clone();
        // The last one in the queue: all the others are suspended when it has its turn.
        spawn(move || theirs.set(super::resident()));
        run();
        (after.get() - before) / super::COUNT
    }

    /// Two threads take `count` turns, so many calls deep.
    pub(crate) fn turns(depth: u32, count: u32) {
        for _ in 0..2 {
            spawn(move || deep(depth, count / 2));
        }
        run();
    }

    fn deep(depth: u32, count: u32) {
        match depth {
            0 => (0..count).for_each(|_| yield_now()),
            _ => deep(depth - 1, count),
        }
        std::hint::black_box(depth);
    }
}

const COUNT: usize = 10_000;

fn main() {
    let me = std::env::current_exe().expect("it has a path");
    if let Some(kind) = std::env::args().nth(1) {
        return println!("{kind} {} bytes", memory_of(&kind));
    }
    for kind in ["thread", "thread-that-keeps-1-kib", "task", "task-that-keeps-1-kib"] {
        // Each begins with the memory of a new process.
        let status = Command::new(&me).arg(kind).status();
        assert!(status.is_ok_and(|status| status.success()));
    }
    for depth in [0, 100] {
        let name = format!("thread-yield-{depth}-deep");
        measures::measure(&name, 10_000, |count| toy::turns(depth, count));
    }
    measures::measure("task-yield", 10_000, turns);
    for depth in [0, 10, 100] {
        measures::measure(&format!("poll-{depth}-deep"), 2_000, |count| polls(depth, count));
    }
    measures::measure("poll-10-deep-without-boxes", 2_000, polls_without_boxes);
    let [by_hand, threads, tasks] =
        ["size-by-hand", "size-of-threads", "size-of-tasks"].map(|program| code(&me.with_file_name(program)));
    println!("code-of-threads {} bytes", threads - by_hand);
    println!("code-of-tasks {} bytes", tasks - by_hand);
}

fn memory_of(kind: &str) -> usize {
    match kind {
        "thread" => toy::memory::<1>(),
        "thread-that-keeps-1-kib" => toy::memory::<1024>(),
        "task" => memory::<1>(),
        _ => memory::<1024>(),
    }
}

/// What a suspended task takes that keeps `SIZE` bytes.
fn memory<const SIZE: usize>() -> usize {
    an_executor::block_on(async {
        let before = resident();
        for _ in 0..COUNT {
            an_executor::spawn(async {
                let mut kept = [0_u8; SIZE];
                an_executor::yield_now().await;
                black_box(&mut kept);
            });
        }
        an_executor::yield_now().await;
        (resident() - before) / COUNT
    })
}

/// Two tasks take `count` turns.
fn turns(count: u32) {
    an_executor::block_on(async {
        for task in [0, 1].map(|_| an_executor::spawn(deep(0, count / 2))) {
            task.await;
        }
    });
}

/// Polls one future `count` times, without an executor. It waits so many futures deep.
fn polls(depth: u32, count: u32) {
    poll_to_the_end(deep(depth, count));
}

fn poll_to_the_end(mut future: Pin<Box<impl Future + ?Sized>>) {
    let mut context = Context::from_waker(Waker::noop());
    while black_box(future.as_mut()).poll(&mut context).is_pending() {}
}

/// A future that contains itself would be infinitely large, so the inner one is on the heap.
fn deep(depth: u32, count: u32) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move {
        match depth {
            0 => yields(count).await,
            _ => deep(depth - 1, count).await,
        }
        black_box(depth);
    })
}

async fn yields(count: u32) {
    for _ in 0..count {
        an_executor::yield_now().await;
    }
}

/// Ten futures, each within the next one: one object.
fn polls_without_boxes(count: u32) {
    macro_rules! within {
        ($inner:expr) => {
            async {
                $inner.await;
                black_box(0);
            }
        };
    }
    let five = within!(within!(within!(within!(within!(yields(count))))));
    poll_to_the_end(Box::pin(within!(within!(within!(within!(within!(five)))))));
}

/// The bytes of physical memory that belong to this process.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("this measure is for Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says it");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024
}

/// The bytes of instructions in a program: the sections of its file that may be executed.
fn code(program: &Path) -> u64 {
    let file = std::fs::read(program).expect("`cargo build --release -p measures` has built it");
    let number = |at: usize, length: usize| {
        file[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    let (table, size, count) = (number(0x28, 8) as usize, number(0x3a, 2) as usize, number(0x3c, 2) as usize);
    let sections = (0..count).map(|index| table + index * size);
    let executable = sections.filter(|section| number(section + 8, 8) & 4 != 0);
    executable.map(|section| number(section + 0x20, 8)).sum()
}
