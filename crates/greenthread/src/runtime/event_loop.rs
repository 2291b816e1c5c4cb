//! A worker's OS thread, from its start to its end. The worker may run inside an event loop of
//! another library, which the OS thread then begins with.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use crate::{
    driver::{Driver, EventLoop},
    opaque_debug::opaque_debug,
    scheduler::{shared::Shared, worker, worker_loop},
};

/// What an OS thread does that shall run a worker inside an event loop.
#[derive(Clone)]
pub(super) struct Start(Arc<dyn Fn(Worker) -> io::Result<()> + Send + Sync>);

opaque_debug!(Start);

/// A worker that has not begun to run. The calling OS thread is its own.
///
/// # Examples
///
/// See [`os::unix::event_loop`](crate::os::unix::event_loop).
pub struct Worker {
    shared: Arc<Shared>,
    index: usize,
    /// `None` once it runs.
    driver: Option<Driver>,
    /// Told when it begins to run, if somebody waits for that.
    started: Option<SyncSender<io::Result<()>>>,
}

opaque_debug!(Worker);

impl Start {
    #[cfg(unix)]
    pub(super) fn new(start: impl Fn(Worker) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(start))
    }

    /// Returns what the worker's OS thread shall do, and the receiver of an answer: whether the
    /// worker runs.
    pub(super) fn body(self, mut worker: Worker) -> (impl FnOnce() + Send, Receiver<io::Result<()>>) {
        // Room for two answers: that it runs, and an error after that, for which nobody waits.
        let (answer, answers) = sync_channel(2);
        worker.started = Some(answer.clone());
        let body = move || {
            if let Err(error) = (self.0)(worker) {
                _ = answer.send(Err(error));
            }
        };
        (body, answers)
    }
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, index: usize, driver: Driver) -> Self {
        Self { shared, index, driver: Some(driver), started: None }
    }

    /// Its descriptor: see `os::unix::event_loop`.
    #[cfg(unix)]
    pub(crate) fn poller(&self) -> &crate::sys::poller::Poller {
        self.driver.as_ref().expect("it does not run yet").poller()
    }

    /// Runs the worker, which sleeps in `event_loop`, until its runtime ends.
    ///
    /// # Panics
    ///
    /// Panics if the calling OS thread runs a worker already.
    ///
    /// # Examples
    ///
    /// See [`os::unix::event_loop`](crate::os::unix::event_loop).
    pub fn run(self, event_loop: &dyn EventLoop) {
        self.work(Some(event_loop));
    }

    /// Runs the worker.
    pub(super) fn work(mut self, event_loop: Option<&dyn EventLoop>) {
        assert!(worker::current().is_none(), "this OS thread runs a worker already");
        if let Some(started) = self.started.take() {
            _ = started.send(Ok(()));
        }
        let driver = self.driver.take().expect("a worker runs once");
        let worker = Box::new(worker::Worker::new(self.shared.clone(), self.index, driver));
        if let Some(watchdog) = &self.shared.watchdog {
            watchdog.watch(self.index, &raw const worker.core);
        }
        match event_loop {
            None => worker_loop::run(&worker),
            Some(event_loop) => worker.driver.use_event_loop(event_loop, || worker_loop::run(&worker)),
        }
        if let Some(watchdog) = &self.shared.watchdog {
            watchdog.watch(self.index, std::ptr::null());
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.worker_stopped();
    }
}
