//! Worlds: the same test runs on green threads, on OS threads, and on both at once.

#![allow(dead_code, reason = "not every test needs everything")]

use std::{
    any::Any,
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    thread as os,
    time::Duration,
};

use greenthread::{Runtime, thread};

use super::{slowness, worker_counts};

/// The kind of a test's threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Green,
    Os,
    /// Green threads and OS threads by turns.
    Mixed,
}

/// A kind of threads, and the number of workers for the green ones.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) kind: Kind,
    pub(crate) workers: usize,
    spawned: Arc<AtomicUsize>,
}

pub(crate) enum Handle<T> {
    Green(thread::JoinHandle<T>),
    Os(os::JoinHandle<T>),
}

impl<T> Handle<T> {
    /// The thread's result. In `Mixed` this may block an OS thread, never a worker.
    pub(crate) fn join(self) -> Result<T, Box<dyn Any + Send>> {
        match self {
            Handle::Green(handle) => handle.join(),
            Handle::Os(handle) => {
                while !handle.is_finished() {
                    thread::sleep(Duration::from_micros(100));
                }
                handle.join()
            }
        }
    }

    pub(crate) fn end(self) -> T {
        self.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl World {
    /// The same world, whose threads are of another kind.
    pub(crate) fn of(&self, kind: Kind) -> Self {
        Self { kind, ..self.clone() }
    }

    pub(crate) fn spawn<T: Send + 'static>(&self, f: impl FnOnce() -> T + Send + 'static) -> Handle<T> {
        let turn = self.spawned.fetch_add(1, Relaxed);
        match self.kind {
            Kind::Os => Handle::Os(os::spawn(f)),
            Kind::Mixed if turn.is_multiple_of(2) => Handle::Os(os::spawn(f)),
            _ => Handle::Green(thread::spawn(f)),
        }
    }
}

/// Runs `test` in every world. A test that hangs ends the process, with the world's name.
#[track_caller]
pub(crate) fn everywhere(test: impl Fn(&World) + Send + Sync + 'static) {
    let test = Arc::new(test);
    for kind in [Kind::Green, Kind::Os, Kind::Mixed] {
        for workers in worker_counts(&[1, 2, 8]) {
            let world = World { kind, workers, spawned: Arc::default() };
            let _guard = time_limit(format!("{world:?} at {}", std::panic::Location::caller()));
            if kind == Kind::Os {
                test(&world);
                break;
            }
            let runtime = Runtime::builder().workers(workers).build().unwrap();
            let test = Arc::clone(&test);
            let inner = world.clone();
            let result = catch_unwind(AssertUnwindSafe(|| runtime.run(move || test(&inner))));
            if let Err(panic) = result {
                eprintln!("failed in {world:?}");
                resume_unwind(panic);
            }
        }
    }
}

/// Ends the process if it isn't dropped within ten minutes, or more where a tool makes it slow: an
/// emulator on a busy machine is slow by itself.
pub(crate) fn time_limit(what: String) -> impl Drop {
    struct Alive(Option<mpsc::Sender<()>>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.take();
        }
    }
    let (alive, gone) = mpsc::channel::<()>();
    os::spawn(move || {
        if gone.recv_timeout(Duration::from_secs(600) * slowness()) == Err(mpsc::RecvTimeoutError::Timeout) {
            // The harness would keep back what a macro prints.
            _ = io::stderr().write_all(format!("hangs: {what}\n").as_bytes());
            std::process::abort();
        }
    });
    Alive(Some(alive))
}

/// Small seeded random numbers (xorshift, Marsaglia 2003).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    /// Yields, spins, sleeps a little, or does nothing.
    pub(crate) fn dawdle(&mut self) {
        match self.below(8) {
            0 => thread::sleep(Duration::from_micros(self.below(60))),
            1 | 2 => thread::yield_now(),
            3 => (0..self.below(200)).for_each(|_| std::hint::spin_loop()),
            _ => {}
        }
    }
}

/// A time in which a few steps can be made.
pub(crate) fn micros(n: u64) -> Duration {
    Duration::from_micros(n) * slowness()
}

/// Counts its drops.
#[derive(Debug)]
pub(crate) struct Counted(pub(crate) Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}
