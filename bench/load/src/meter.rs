//! Counting, between the warm-up and the end.

use std::io;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::Options;

/// Counts the requests that are due between the end of the warm-up and the end of the run.
pub struct Meter {
    process: libc::pid_t,
    begin: Instant,
    end: Instant,
    /// The server's CPU time when counting began.
    before: Option<Duration>,
    /// The CPU time that the server has used since.
    cpu: Duration,
    latency: Histogram<u64>,
    /// A latency says more than the rate only if the rate is fixed.
    at_rate: bool,
}

impl Meter {
    pub fn start(options: &Options) -> Meter {
        let begin = Instant::now() + options.warm_up;
        Meter {
            process: options.process,
            begin,
            end: begin + options.seconds,
            before: None,
            cpu: Duration::ZERO,
            latency: bench_common::latencies(),
            at_rate: options.rate.is_some(),
        }
    }

    /// Takes note of the time, and returns whether to go on.
    pub fn go_on(&mut self, now: Instant) -> io::Result<bool> {
        match self.before {
            None if now >= self.begin => self.before = Some(bench_common::cpu_of(self.process)?),
            Some(before) if now >= self.end => {
                self.cpu = bench_common::cpu_of(self.process)? - before;
                return Ok(false);
            }
            _ => {}
        }
        Ok(true)
    }

    /// Records a request that was due at `due`. It is answered now, or has no answer at the end of
    /// the run.
    pub fn answered(&mut self, due: Instant, now: Instant) {
        if due >= self.begin && due < self.end {
            self.latency.saturating_record((now - due).as_nanos() as u64);
        }
    }

    pub fn report(&self) {
        let (requests, time) = (self.latency.len() as f64, (self.end - self.begin).as_secs_f64());
        let cpu = self.cpu.as_nanos() as f64 / requests;
        let busy = format!("server busy {:.0}%", 100.0 * self.cpu.as_secs_f64() / time);
        bench_common::report("cpu", cpu, "ns", cpu, &busy);
        bench_common::report("rate", requests / time, "per s", cpu, "");
        if self.at_rate {
            bench_common::report_latencies("latency", &self.latency, cpu, "");
        }
    }
}
