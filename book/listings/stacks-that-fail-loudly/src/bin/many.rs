//! Ten thousand stacks at once, or as many as the first argument says: gigabytes of addresses,
//! and little memory.

use stacks_that_fail_loudly::{Builder, run, yield_now};

fn main() {
    let count =
        std::env::args().nth(1).map_or(10_000, |count| count.parse().expect("a number"));
    run(move || {
        for number in 1..=count {
            if let Err(error) = Builder::new().spawn(yield_now) {
                println!("there is no stack for thread {number}: {error}");
                return;
            }
        }
        println!("{count} threads");
        println!("{} MB of addresses", megabytes("VmSize:"));
        println!("{} MB of memory", megabytes("VmRSS:"));
    });
}

/// A figure that the kernel keeps of this process.
fn megabytes(what: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap_or_default();
    line.trim()
        .trim_end_matches(" kB")
        .parse::<usize>()
        .map_or(0, |kilobytes| kilobytes / 1024)
}
