//! A runtime that has nothing to do.

use std::time::Duration;
use std::{fs, process, thread};

/// Counts from an OS thread of its own how often the others are switched to in `seconds`, then ends
/// the process. The caller parks for good.
pub fn idle(seconds: usize) {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(100)); // until all are asleep
        let before = switches_of_others();
        thread::sleep(Duration::from_secs(seconds as u64));
        crate::report("switches", (switches_of_others() - before) as f64, "", 0.0, "");
        process::exit(0);
    });
}

fn switches_of_others() -> u64 {
    let own = fs::read_link("/proc/thread-self").expect("Linux's /proc");
    let threads = fs::read_dir("/proc/self/task").expect("Linux's /proc").flatten();
    let others = threads.filter(|entry| Some(&*entry.file_name()) != own.file_name());
    // An OS thread that has ended meanwhile is not switched to.
    let texts = others.filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok());
    texts.map(|text| text.lines().filter_map(switches).sum::<u64>()).sum()
}

/// The number in a line of `voluntary_ctxt_switches` or `nonvoluntary_ctxt_switches`.
fn switches(line: &str) -> Option<u64> {
    let (name, number) = line.split_once(':')?;
    if name.ends_with("voluntary_ctxt_switches") { number.trim().parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switches_of_others_are_seen() {
        let before = switches_of_others();
        let sleeper = thread::spawn(|| {
            for _ in 0..20 {
                thread::sleep(Duration::from_millis(1));
            }
            thread::park();
        });
        while switches_of_others() < before + 20 {
            thread::sleep(Duration::from_millis(1));
        }
        sleeper.thread().unpark();
        sleeper.join().unwrap();
        assert_eq!(switches("nonvoluntary_ctxt_switches:\t7"), Some(7));
        assert_eq!(switches("Threads:\t7"), None);
    }
}
