//! Time and CPU time.

use std::io;
use std::ops::AddAssign;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A moment: the clock on the wall and the CPU time that the whole process has used.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    time: Instant,
    cpu: Duration,
}

/// The CPU time that another process has used so far.
pub fn cpu_of(process: libc::pid_t) -> io::Result<Duration> {
    let mut clock = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both write to the places given.
    let ok = unsafe {
        libc::clock_getcpuclockid(process, &mut clock) == 0 && libc::clock_gettime(clock, &mut time) == 0
    };
    if ok {
        Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The time between two marks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    pub time: Duration,
    pub cpu: Duration,
}

impl Mark {
    pub fn now() -> Mark {
        let mut cpu = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `cpu` is a timespec to write to.
        unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut cpu) };
        Mark { cpu: Duration::new(cpu.tv_sec as u64, cpu.tv_nsec as u32), time: Instant::now() }
    }

    pub fn elapsed(self) -> Span {
        Mark::now().since(self)
    }

    pub fn since(self, earlier: Mark) -> Span {
        Span { time: self.time - earlier.time, cpu: self.cpu - earlier.cpu }
    }
}

impl Span {
    pub fn report(&self, metric: &str, ops: usize, note: &str) {
        let per_op = |d: Duration| d.as_nanos() as f64 / ops as f64;
        crate::report(metric, per_op(self.time), "ns", per_op(self.cpu), note);
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        self.time += other.time;
        self.cpu += other.cpu;
    }
}

/// Times the work of several threads, from the moment when all have begun until the last one ends.
pub struct Lap {
    threads: usize,
    here: AtomicUsize,
    left: AtomicUsize,
    started: OnceLock<Mark>,
    span: OnceLock<Span>,
}

impl Lap {
    pub fn new(threads: usize) -> Lap {
        let (here, left) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Lap { threads, here, left, started: OnceLock::new(), span: OnceLock::new() }
    }

    pub fn arrive(&self) {
        if self.here.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.started.set(Mark::now()).expect("one thread is the last to come");
        }
    }

    /// Whether all threads have begun. A thread yields until they have.
    pub fn on(&self) -> bool {
        self.started.get().is_some()
    }

    /// The moment when the last one began.
    pub fn started(&self) -> Option<Mark> {
        self.started.get().copied()
    }

    pub fn leave(&self) {
        if self.left.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            let started = self.started.get().expect("all came before the last one left");
            self.span.set(started.elapsed()).expect("one thread is the last to leave");
        }
    }

    pub fn span(&self) -> Span {
        *self.span.get().expect("all have left")
    }
}
