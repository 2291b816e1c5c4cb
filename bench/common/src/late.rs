//! How late timers are.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use crate::{Span, latencies, report, report_latencies};

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

    /// CPU time for each, and how late they were.
    pub fn report(&self, span: Span) {
        let mut late = latencies();
        for one in &self.0 {
            late.saturating_record(one.load(Relaxed));
        }
        let cpu = span.cpu.as_nanos() as f64 / self.0.len() as f64;
        report("cpu", cpu, "ns", cpu, "");
        report_latencies("late", &late, cpu, "");
    }
}
