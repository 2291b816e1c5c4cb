//! Computation in slices of very different lengths, and its amount.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::Mark;

/// The steps that all computing threads of a process have done together.
#[derive(Clone)]
pub struct Effort {
    steps: Arc<AtomicU64>,
    start: Mark,
}

impl Effort {
    pub fn start() -> Effort {
        Effort { steps: Arc::default(), start: Mark::now() }
    }

    /// Million steps per second, and the process's CPU time for each million.
    pub fn report(&self) {
        let (span, millions) = (self.start.elapsed(), self.steps.load(Relaxed) as f64 / 1e6);
        let cpu = span.cpu.as_nanos() as f64 / millions;
        crate::report("million steps", millions / span.time.as_secs_f64(), "per s", cpu, "");
    }
}

/// One thread's computation.
pub struct Compute {
    effort: Effort,
    state: u64,
    sleeps: bool,
}

impl Compute {
    /// Every fourth thread sleeps between its slices. The others yield.
    pub fn new(number: usize, effort: &Effort) -> Compute {
        Compute { effort: effort.clone(), state: number as u64 + 1, sleeps: number % 4 == 3 }
    }

    /// Computes for about 50 microseconds to 5 milliseconds. Short slices are more frequent.
    /// Returns how long the thread shall sleep now; if `None`, it shall yield.
    pub fn slice(&mut self) -> Option<Duration> {
        // A step takes some two nanoseconds.
        let part = (self.step() >> 40) as f64 / (1 << 24) as f64;
        let steps = (25_000.0 * 100_f64.powf(part)) as u64;
        for _ in 0..steps {
            self.step();
        }
        black_box(self.state);
        self.effort.steps.fetch_add(steps, Relaxed);
        self.sleeps.then_some(Duration::from_millis(1))
    }

    fn step(&mut self) -> u64 {
        // A compiler can't do several of these steps at once.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}
