//! How late timers are.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use crate::{Span, report};

/// One number for each of many sleepers.
pub struct Late(Vec<AtomicU64>);

impl Late {
    pub fn new(sleepers: usize) -> Late {
        Late((0..sleepers).map(|_| AtomicU64::new(0)).collect())
    }

    /// A number for sleeper `i`, far from those of its neighbours.
    pub fn spread(i: usize) -> u64 {
        (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
    }

    /// Sleeper `i` is awake; it was due at this time.
    pub fn note(&self, i: usize, due: Instant) {
        self.0[i].store(due.elapsed().as_nanos() as u64, Relaxed);
    }

    /// CPU time for each, and the lateness that half, and 99 of a hundred, did not exceed.
    pub fn report(&self, span: Span) {
        let mut late: Vec<_> = self.0.iter().map(|late| late.load(Relaxed)).collect();
        late.sort_unstable();
        let cpu = span.cpu.as_nanos() as f64 / late.len() as f64;
        report("cpu", cpu, "ns", cpu, "");
        for (metric, part) in [("late p50", 0.5), ("late p99", 0.99)] {
            report(metric, late[(late.len() as f64 * part) as usize] as f64, "ns", cpu, "");
        }
    }
}
