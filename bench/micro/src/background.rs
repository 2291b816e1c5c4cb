//! Threads in the background of the measured one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use greenthread::thread::{JoinHandle, Thread, spawn, yield_now};

/// Threads that repeat a round until this is dropped.
pub(crate) struct Background {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts threads that do `round` again and again. All of them have begun when this returns.
    pub(crate) fn of(threads: usize, round: impl Fn() + Clone + Send + 'static) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let here = Arc::new(AtomicUsize::new(0));
        let spawn_one = |_| {
            let (over, here, round) = (over.clone(), here.clone(), round.clone());
            spawn(move || {
                here.fetch_add(1, Relaxed);
                while !over.load(Relaxed) {
                    round();
                }
            })
        };
        let handles = (0..threads).map(spawn_one).collect();
        while here.load(Relaxed) < threads {
            yield_now();
        }
        Self { over, threads: handles }
    }

    /// The first of the threads.
    pub(crate) fn first(&self) -> &Thread {
        self.threads[0].thread()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().expect("no panic");
        }
    }
}
