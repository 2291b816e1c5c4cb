//! The OS threads on which two partners run.

use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Both partners call it in each round. Every 1024th time they compare the ids of their OS threads.
#[derive(Default)]
pub struct Whereabouts {
    other: AtomicI32,
    asked: AtomicUsize,
    apart: AtomicUsize,
}

impl Whereabouts {
    const EVERY: usize = 1024;

    /// The answering side calls this before the answer of round `i`.
    pub fn tell(&self, i: usize) {
        if i.is_multiple_of(Self::EVERY) {
            self.other.store(os_thread(), Relaxed);
        }
    }

    /// The asking side calls this after the answer of round `i`.
    pub fn compare(&self, i: usize) {
        if i.is_multiple_of(Self::EVERY) {
            self.asked.fetch_add(1, Relaxed);
            self.apart.fetch_add((self.other.load(Relaxed) != os_thread()) as usize, Relaxed);
        }
    }

    pub fn note(&self) -> String {
        let (apart, asked) = (self.apart.load(Relaxed), self.asked.load(Relaxed));
        format!("apart {:.0}%", 100.0 * apart as f64 / asked as f64)
    }
}

fn os_thread() -> i32 {
    // SAFETY: gettid has no preconditions.
    unsafe { libc::gettid() }
}

/// Keeps this worker busy until other workers have started all partners, for a tenth of a second at
/// most.
pub fn busy_until(done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() && begin.elapsed() < Duration::from_millis(100) {
        std::hint::spin_loop();
    }
}
