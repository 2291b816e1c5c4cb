//! Tests of the whole module. A test about a process (its memory, its limits, its death) runs in a
//! child process: it starts its own program again, for this test alone, with a role.

use core::hint::black_box;
#[cfg(unix)]
use std::os::unix::process::ExitStatusExt;
use std::{
    env, io,
    process::{Command, Output},
};
#[cfg(target_os = "linux")]
use std::{fs, time::Instant};

use super::*;
#[cfg(target_os = "linux")]
use crate::machine::{Need, lacks};
use crate::sys::memory::{COMMITS, RECORD, page_size};

/// The smallest stack, which has whole pages.
fn min_size() -> usize {
    usable_size(1).unwrap()
}

const ROLE: &str = "GREENTHREAD_TEST_ROLE";
const GUARD: &str = "GREENTHREAD_STACK_GUARD";

/// Runs the named test of this module in a child process with the role.
fn child(test: &str, role: &str, guard: &str) -> Output {
    let path = module_path!().split_once("::").unwrap().1;
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", &format!("{path}::{test}"), "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(GUARD, guard)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    assert!(output.stdout.starts_with(b"\nrunning 1 test\n"), "{output:?}");
    output
}

fn role() -> Option<String> {
    env::var(ROLE).ok()
}

#[track_caller]
fn assert_success(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

fn errors(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    // An emulator reports the end of the process as well.
    errors.split("qemu: ").next().unwrap_or_default().to_owned()
}

/// A field of `/proc/self/status` that is in kB, in bytes.
#[cfg(target_os = "linux")]
fn status(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_matches([':', ' ', '\t', 'k', 'B']).parse::<usize>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
fn maps() -> usize {
    fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}

/// Writes to the highest word of a stack, as its first frame would.
#[cfg(target_os = "linux")]
fn touch(stack: &Stack) {
    // SAFETY: the caller owns the stack, and nothing runs on it.
    unsafe { stack.top().cast::<usize>().sub(1).write_volatile(7) }
}

fn write(address: usize) {
    // SAFETY: callers write to stacks that they own, or to addresses that fault. The fault ends
    // their child process, which is what they test.
    unsafe { (address as *mut u8).write_volatile(1) }
}

#[test]
fn sizes() {
    assert!(min_size() >= MIN_SIZE && min_size() < MIN_SIZE + page_size());
    assert_eq!(usable_size(min_size() + 1).unwrap(), min_size() + page_size());
    assert_eq!(usable_size(ROOT_SIZE).unwrap(), ROOT_SIZE);
    for absurd in [0, usize::MAX, usize::MAX / 2, (1 << (usize::BITS - 2).min(45)) + 1] {
        let error = usable_size(absurd).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&format!("{absurd} bytes")), "{error}");
    }
    for pages in 8..200 {
        let size = pages * page_size();
        let guard = size::guard_size(size);
        assert!(guard >= if size >= 256 * 1024 { 64 * 1024 } else { page_size() });
        assert!(guard <= 64 * 1024 + 7 * page_size());
        assert!(!((size + guard) / page_size()).is_multiple_of(2));
        assert!(size::with_spare(size).is_multiple_of(page_size()));
    }
}

#[test]
fn a_stack_is_small_and_goes_anywhere() {
    fn is_send<T: Send>() {}
    is_send::<Stack>();
    assert_eq!(size_of::<Stack>(), 2 * size_of::<usize>());
    assert_eq!(size_of::<Option<Stack>>(), size_of::<Stack>());
}

#[test]
fn the_last_one_in_is_the_first_one_out() {
    let mut cache = Cache::new();
    let (a, b) = (cache.take(min_size()).unwrap(), cache.take(min_size()).unwrap());
    assert_ne!(a.limit(), b.limit());
    let (first, second) = (a.limit(), b.limit());
    cache.put(b);
    cache.put(a);
    let (c, d) = (cache.take(min_size()).unwrap(), cache.take(min_size()).unwrap());
    assert_eq!((c.limit(), d.limit()), (first, second));
    assert_eq!(c.guard().end, c.limit().addr().get());
    let usable = c.top().addr().get() - c.limit().addr().get();
    assert!((c.size() - RECORD - 896..=c.size() - RECORD).contains(&usable));
    // The tops of neighbours have different offsets. Whether these two are neighbours depends on
    // the tests that run at the same time.
    let apart = c.limit().addr().get().abs_diff(d.limit().addr().get()) / page_size();
    let same = c.top().addr().get() % page_size() == d.top().addr().get() % page_size();
    assert_eq!(same, apart.is_multiple_of(8));
    cache.put(c);
    cache.put(d);
}

/// Several OS threads take and put many stacks of several sizes in a random order. Each marks its
/// stacks at both ends, and finds the marks again: no two owners ever have the same bytes.
#[test]
fn nobody_shares() {
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            scope.spawn(move || {
                let mut cache = Cache::new();
                let mut mine: Vec<(Stack, u64)> = Vec::new();
                let mut random = thread.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
                let mark = |stack: &Stack| {
                    let (low, high) = (stack.limit().cast::<u64>(), stack.top().cast::<u64>());
                    // SAFETY: one word below the top is within the stack, and so is the page below
                    // it.
                    unsafe { [if COMMITS { high.byte_sub(page_size()) } else { low }, high.sub(1)] }
                };
                for step in 0..20_000u64 {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    if mine.is_empty()
                        || (mine.len() < 300 && random.is_multiple_of(5) == (step / 500 % 2 == 1))
                    {
                        let size = min_size()
                            + (random >> 20) as usize % 3 * 0x8000_usize.next_multiple_of(page_size());
                        let stack = cache.take(size).unwrap();
                        let tag = thread << 32 | step;
                        // SAFETY: this OS thread owns the stack, and nothing runs on it.
                        mark(&stack).into_iter().for_each(|p| unsafe { p.write(tag) });
                        mine.push((stack, tag));
                    } else {
                        let (stack, tag) = mine.swap_remove((random >> 8) as usize % mine.len());
                        // SAFETY: this OS thread owns the stack, and nothing runs on it.
                        assert_eq!(mark(&stack).map(|p| unsafe { p.read() }), [tag, tag]);
                        cache.put(stack);
                    }
                }
                mine.into_iter().for_each(|(stack, _)| cache.put(stack));
            });
        }
    });
}

/// Every byte of a stack can be written, and the guard below it faults at both ends: with either
/// kind of guard, on a new stack and on one that has come back from the arena.
#[test]
#[cfg(target_os = "linux")]
fn the_guard_faults_and_the_rest_does_not() {
    const NAME: &str = "the_guard_faults_and_the_rest_does_not";
    let Some(role) = role() else {
        for guard in ["", "mprotect"] {
            for role in ["usable", "first below", "last below", "first below again"] {
                let output = child(NAME, role, guard);
                match role {
                    "usable" => assert_success(&output),
                    _ => assert_eq!(output.status.signal(), Some(libc::SIGSEGV), "{guard} {role} {output:?}"),
                }
            }
        }
        return;
    };
    for size in [min_size(), DEFAULT_SIZE, ROOT_SIZE] {
        let mut cache = Cache::new();
        let mut stack = cache.take(size).unwrap();
        let mut rounds = 1;
        if role.ends_with("again") {
            rounds = 3;
        }
        for _ in 0..rounds {
            for address in stack.limit().addr().get()..stack.top().addr().get() {
                write(address);
            }
            cache.put(stack);
            drop(cache);
            cache = Cache::new();
            stack = cache.take(size).unwrap();
        }
        if size == ROOT_SIZE && role != "usable" {
            let guard = stack.guard();
            write(if role.starts_with("first") { guard.end - 1 } else { guard.start });
            unreachable!("no fault");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_hundred_thousand_stacks_are_few_maps() {
    const NAME: &str = "a_hundred_thousand_stacks_are_few_maps";
    if role().is_none() {
        return assert_success(&child(NAME, "child", ""));
    }
    if crate::sys::memory::guards_take_maps() {
        return;
    }
    let before = maps();
    let mut cache = Cache::new();
    let start = Instant::now();
    // A 32-bit process has no addresses for so many.
    let many = if usize::BITS == 64 { 100_000 } else { 20_000 };
    let stacks: Vec<Stack> = (0..many).map(|_| cache.take(0x10000).unwrap()).collect();
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    assert!(maps() < before + 50, "{}", maps());
    stacks.into_iter().for_each(|stack| cache.put(stack));
}

/// The memory that threads have used goes back to the system when they end, and most of the address
/// space too.
#[test]
#[cfg(target_os = "linux")]
fn memory_goes_back() {
    if lacks(&[Need::OwnMemory]) {
        return;
    }
    const NAME: &str = "memory_goes_back";
    if role().is_none() {
        for guard in ["", "mprotect"] {
            assert_success(&child(NAME, "child", guard));
        }
        return;
    }
    let mut cache = Cache::new();
    let n = 20_000;
    let mut stacks = Vec::with_capacity(n);
    let (rss, space) = (status("VmRSS"), status("VmSize"));
    for _ in 0..3 {
        stacks.extend((0..n).map(|_| cache.take(0x10000).unwrap()));
        stacks.iter().for_each(touch);
        assert!(status("VmRSS") >= rss + n * page_size());
        // The stacks come back in an order in which neighbours do not follow each other.
        for part in 0..7 {
            for i in (part..n).step_by(7) {
                cache.put(core::mem::replace(&mut stacks[i], Stack { limit: NonNull::dangling(), size: 0 }));
            }
        }
        stacks.clear();
        while has_surplus() {
            trim(false);
        }
        // The cache keeps some memory, and the slots of the last region have some.
        let left = status("VmRSS").saturating_sub(rss);
        assert!(left < 12 << 20, "{left} bytes are left");
    }
    drop(cache);
    while has_surplus() {
        trim(false);
    }
    let left = status("VmSize") - space;
    assert!(left < 5 << 29, "{left} bytes of address space are left");
}

#[test]
#[cfg(target_os = "linux")]
fn when_maps_run_out_the_error_says_what_to_do() {
    const NAME: &str = "when_maps_run_out_the_error_says_what_to_do";
    if role().is_none() {
        return assert_success(&child(NAME, "child", "mprotect"));
    }
    let most = crate::sys::memory::map_limit().unwrap();
    if most > 100_000 {
        return;
    }
    let mut cache = Cache::new();
    let mut stacks = Vec::new();
    let error = loop {
        match cache.take(0x10000) {
            Ok(stack) => stacks.push(stack),
            Err(error) => break error,
        }
    };
    assert!(stacks.len() <= most && stacks.len() > most * 9 / 10, "{}", stacks.len());
    assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
    assert!(error.to_string().contains("vm.max_map_count"), "{error}");
    eprintln!("{} stacks, then: {error}", stacks.len());
    // The process goes on: others can still get maps, and a stack that comes back can be taken
    // again.
    std::thread::spawn(|| black_box(vec![1u8; 1 << 24])).join().unwrap();
    assert!(arena::is_starving());
    assert_eq!(last_refusal().unwrap().to_string(), error.to_string());
    assert!(Cache::new().take(min_size()).is_err());
    cache.put(stacks.pop().unwrap());
    assert!(!arena::is_starving());
    let stack = cache.take(0x10000).unwrap();
    assert!(cache.take(0x10000).is_err());
    cache.put(stack);
    stacks.into_iter().for_each(|stack| cache.put(stack));
    drop(cache);
    // Stacks of another size can use the maps of unmapped regions.
    let mut cache = Cache::new();
    let stacks: Vec<Stack> = (0..1000).map(|_| cache.take(min_size() + page_size()).unwrap()).collect();
    stacks.into_iter().for_each(|stack| cache.put(stack));
}

#[test]
#[cfg(target_os = "linux")]
fn when_addresses_run_out_the_error_says_what_to_do() {
    if lacks(&[Need::OwnMemory]) {
        return;
    }
    const NAME: &str = "when_addresses_run_out_the_error_says_what_to_do";
    if role().is_none() {
        return assert_success(&child(NAME, "child", ""));
    }
    let room = 300 << 20;
    let limit =
        libc::rlimit { rlim_cur: (status("VmSize") + room) as libc::rlim_t, rlim_max: libc::RLIM_INFINITY };
    let mut cache = Cache::new();
    let mut stacks = Vec::with_capacity(2000);
    // SAFETY: `limit` is valid, and the call changes only a limit of this process.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    let error = loop {
        match cache.take(DEFAULT_SIZE) {
            Ok(stack) => stacks.push(stack),
            Err(error) => break error,
        }
    };
    // The last regions have single stacks, so hardly any addresses are unused.
    let stride = DEFAULT_SIZE + size::guard_size(DEFAULT_SIZE);
    assert!(stacks.len() > (room - (2 << 20)) / stride, "{}", stacks.len());
    stacks.iter().for_each(touch);
    assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
    let text = error.to_string();
    assert!(text.contains(&format!("{DEFAULT_SIZE} bytes")) && text.contains("ulimit -v"), "{text}");
    assert_eq!(last_refusal().unwrap().to_string(), text);
    stacks.into_iter().for_each(|stack| cache.put(stack));
    assert!(!arena::is_starving());
    // The refusal of a huge stack doesn't mean that other stacks are refused.
    assert!(cache.take(1 << (usize::BITS - 3).min(44)).is_err());
    assert!(!arena::is_starving());
    // Stacks of another size can use the addresses.
    drop(cache);
    let mut cache = Cache::new();
    let stacks: Vec<Stack> = (0..20).map(|_| cache.take(ROOT_SIZE).unwrap()).collect();
    stacks.iter().for_each(touch);
    stacks.into_iter().for_each(|stack| cache.put(stack));
}

/// After a burst of threads, stacks keep their top pages, and their other pages go back to the
/// system.
#[test]
#[cfg(target_os = "linux")]
fn warm_stacks_keep_their_tops() {
    const NAME: &str = "warm_stacks_keep_their_tops";
    if role().is_none() {
        return assert_success(&child(NAME, "child", ""));
    }
    let mut cache = Cache::new();
    let n = 1000;
    let mut stacks: Vec<Stack> = (0..n).map(|_| cache.take(min_size()).unwrap()).collect();
    let rss = status("VmRSS");
    for stack in &stacks {
        // The smallest pages there are: an emulator's own may be smaller than those that it shows.
        (stack.limit().addr().get()..stack.top().addr().get()).step_by(4096).for_each(write);
    }
    assert!(status("VmRSS") - rss >= n * min_size());
    stacks.drain(..).for_each(|stack| cache.put(stack));
    let left = status("VmRSS") - rss;
    let kept = (8_usize << 10).next_multiple_of(page_size());
    assert!(left >= (n - 128) * kept && left <= n * kept + 128 * min_size(), "{left}");
}

/// Stacks that two intervals have not needed go to the arena, and those that are needed stay.
#[test]
fn stacks_that_are_not_needed_go() {
    let mut cache = Cache::new();
    let use_some = |cache: &mut Cache, n| {
        let stacks: Vec<Stack> = (0..n).map(|_| cache.take(min_size()).unwrap()).collect();
        stacks.into_iter().for_each(|stack| cache.put(stack));
    };
    use_some(&mut cache, 900);
    cache.end_interval();
    let all = cache.len();
    assert!(all >= 800);
    use_some(&mut cache, 700);
    cache.end_interval();
    assert!(cache.len() >= 700 && cache.len() < all);
    assert!(cache.is_worth_trimming());
    (0..9).for_each(|_| cache.end_interval());
    assert!(!cache.is_worth_trimming(), "{}", cache.len());
}

mod overflowing;
mod running;
