//! The machine: what it is, and whether others are using it.

use std::time::{Duration, Instant};
use std::{fs, thread};

pub fn describe() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let models = cpuinfo.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let models: Vec<_> = models.map(|(_, model)| model).collect();
    let lock = include_str!("../../Cargo.lock");
    let version = |name: &str| {
        let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        rest.split('"').next()
    };
    let peers = [
        "tokio",
        "smol",
        "async-executor",
        "may",
        "monoio",
        "rayon",
        "crossbeam-channel",
        "corosensei",
        "generator",
    ];
    let peers: Vec<_> = peers.iter().map(|name| format!("{name} {}", version(name).unwrap_or("?"))).collect();
    format!(
        "{} x {}, Linux {}, load {}\n{}",
        models.len(),
        models.first().unwrap_or(&"?"),
        read("/proc/sys/kernel/osrelease").trim(),
        read("/proc/loadavg").split(' ').next().unwrap_or("?"),
        peers.join(", "),
    )
}

/// Lets the peers open as many files as the system allows.
pub fn raise_limits() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both read or write the limit given. Where it fails, the limits stay as they are.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
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

/// Looks how much others use the processors during a measurement.
pub struct Watch {
    busy: Duration,
    time: Instant,
}

impl Watch {
    pub fn start() -> Watch {
        Watch { busy: busy(), time: Instant::now() }
    }

    /// How many processors others had, on average, while `own` was ours. Less than 50 ms is taken for nothing,
    /// as the kernel counts in ticks.
    pub fn foreign(&self, own: Duration) -> f64 {
        let foreign = (busy() - self.busy).saturating_sub(own + Duration::from_millis(50));
        foreign.as_secs_f64() / self.time.elapsed().as_secs_f64()
    }
}

/// Waits until half a second has gone by in which nobody did much.
pub fn wait_until_quiet(patience: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < patience {
        let watch = Watch::start();
        thread::sleep(Duration::from_millis(500));
        if watch.foreign(Duration::ZERO) == 0.0 {
            break;
        }
    }
}
