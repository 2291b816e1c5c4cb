//! Whether a measurement has the machine to itself.
//!
//! The system counts the processor time of its other programs. But a processor may be half a core.
//! The other half is another processor or, on a rented machine, belongs to somebody else. While
//! that one computes, our half takes up to twice as long, and no counter here shows it. So a fixed
//! piece of work is timed on the first two processors at once, before and after a measurement. The
//! time is compared with the least one in this run.

use std::sync::Barrier;
use std::time::{Duration, Instant};
use std::{fs, hint, thread};

use crate::process::pin;

/// If other programs had this many processors on average, the measurement is taken again.
pub const DISTURBED: f64 = 0.1;

/// If the processors took this many times as long as at their best, likewise.
pub const SHARED: f64 = 1.08;

/// The processors that servers and load generators are pinned to. Elsewhere the kernel moves a
/// program that is in the way of another.
const WATCHED: usize = 2;

/// The conditions of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// The number of processors that other programs had, on average.
    pub others: f64,
    /// The time of the slower processor, before or after, as a multiple of its best.
    pub pace: f64,
}

impl Condition {
    /// The condition of a measurement that failed.
    pub const UNKNOWN: Condition = Condition { others: 0.0, pace: 1.0 };

    pub fn is_quiet(&self) -> bool {
        self.disturbance() < 1.0
    }

    /// The larger of the two disturbances, in units of the limit.
    pub fn disturbance(&self) -> f64 {
        (self.others / DISTURBED).max((self.pace - 1.0) / (SHARED - 1.0))
    }
}

/// Times the processors.
#[derive(Debug)]
pub struct Pace {
    /// The least time that each one took.
    best: Vec<Duration>,
}

impl Pace {
    /// Times them for a second.
    pub fn new() -> Pace {
        let processors = thread::available_parallelism().map_or(1, |count| count.get()).min(WATCHED);
        let mut pace = Pace { best: vec![Duration::MAX; processors] };
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(1) {
            pace.now();
        }
        pace
    }

    /// The present time of the slower one, as a multiple of its best.
    pub fn now(&mut self) -> f64 {
        let together = &Barrier::new(self.best.len());
        let times: Vec<_> = thread::scope(|scope| {
            let probes: Vec<_> =
                (0..self.best.len()).map(|number| scope.spawn(move || probe(number, together))).collect();
            probes.into_iter().map(|probe| probe.join().expect("no panic")).collect()
        });
        self.compare(&times)
    }

    fn compare(&mut self, times: &[Duration]) -> f64 {
        let ratio = |(best, time): (&mut Duration, &Duration)| {
            *best = *time.min(best);
            time.as_secs_f64() / best.as_secs_f64()
        };
        self.best.iter_mut().zip(times).map(ratio).fold(1.0, f64::max)
    }

    /// Waits until they are at their best, for `limit` at most.
    pub fn wait_until_quiet(&mut self, limit: Duration) -> f64 {
        let begin = Instant::now();
        loop {
            let pace = self.now();
            if pace < SHARED || begin.elapsed() >= limit {
                return pace;
            }
        }
    }
}

/// The time of a small piece of work on that processor: the median of many, after some milliseconds
/// of work, since a processor is slow at first after an idle time.
fn probe(processor: usize, together: &Barrier) -> Duration {
    _ = pin(processor); // where that can't be, it runs where it can
    (0..24).for_each(|_| _ = piece());
    together.wait();
    let mut times = [(); 24].map(|()| piece());
    times.sort();
    times[12]
}

/// A piece of work that uses all of a core: additions, and memory in the cache.
fn piece() -> Duration {
    let begin = Instant::now();
    let mut memory = [0_u64; 512];
    let mut sums = [1_u64, 2, 3, 4, 5, 6];
    for i in 0..50_000_u64 {
        sums[0] += i;
        sums[1] ^= sums[0];
        sums[2] += 3;
        sums[3] ^= sums[2];
        sums[4] += 7;
        sums[5] ^= sums[4];
        let memory = hint::black_box(&mut memory);
        memory[(i % 512) as usize] = sums[1];
        memory[(i * 7 % 512) as usize] += sums[3];
        memory[(i * 13 % 512) as usize] ^= sums[5];
    }
    hint::black_box(sums);
    begin.elapsed()
}

/// CPU time that all processors together have spent at work, in ticks of 10 ms.
fn busy() -> Duration {
    let stat = fs::read_to_string("/proc/stat").expect("Linux's /proc");
    let ticks = stat.lines().next().expect("the line of all processors").split_whitespace().skip(1);
    let ticks: Vec<u64> = ticks.map(|field| field.parse().expect("a number")).collect();
    // user nice system idle iowait irq softirq steal
    let busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7];
    Duration::from_millis(10 * busy)
}

/// Measures how much other programs use the processors during a measurement.
pub struct Watch {
    busy: Duration,
    time: Instant,
}

impl Watch {
    pub fn start() -> Watch {
        Watch { busy: busy(), time: Instant::now() }
    }

    /// The number of processors that other programs had, on average, if `own` is the time of ours.
    /// Less than 50 ms counts as nothing, since the kernel counts in ticks.
    pub fn foreign(&self, own: Duration) -> f64 {
        let foreign = (busy() - self.busy).saturating_sub(own + Duration::from_millis(50));
        foreign.as_secs_f64() / self.time.elapsed().as_secs_f64()
    }
}

/// Waits until half a second has gone by in which no other program did much.
pub fn wait_for_others(limit: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < limit {
        let watch = Watch::start();
        thread::sleep(Duration::from_millis(500));
        if watch.foreign(Duration::ZERO) == 0.0 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_of_the_slower_processor_and_its_best() {
        let ms = Duration::from_millis;
        let mut pace = Pace { best: vec![Duration::MAX; 2] };
        assert_eq!(pace.compare(&[ms(20), ms(30)]), 1.0, "the first is the best so far");
        assert_eq!(pace.compare(&[ms(30), ms(30)]), 1.5);
        assert_eq!(pace.compare(&[ms(10), ms(60)]), 2.0);
        assert_eq!(pace.compare(&[ms(20), ms(30)]), 2.0, "it can do better");
    }

    #[test]
    fn the_worse_of_two_disturbances_counts() {
        let of = |others, pace| Condition { others, pace };
        assert!(of(0.09, 1.07).is_quiet());
        assert!(!of(0.11, 1.0).is_quiet());
        assert!(!of(0.0, 1.09).is_quiet());
        assert!(of(0.2, 1.0).disturbance() > of(0.0, 1.1).disturbance());
        assert!(Condition::UNKNOWN.is_quiet());
    }
}
