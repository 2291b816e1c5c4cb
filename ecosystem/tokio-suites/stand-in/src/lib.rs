//! tokio, with other runtimes. The tests of other crates are changed to ask for this one's. What
//! they give to `block_on` is then run on a green thread, by `greenthread::block_on`, on workers
//! that sleep in tokio.
//!
//! With `STAND_IN=tokio` in the environment everything is tokio's own, for comparison. With
//! `STAND_IN_LOG` the name of each test that comes here is added to that file.
//!
//! Invariants:
//! 1. Who has a future polled by a green thread waits until that has ended, and touches nothing
//!    meanwhile.

pub use tokio::*;

/// Does the future on a runtime of its own, as `tokio_test` does.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

pub mod runtime {
    use std::{env, fs::File, future::Future, io, io::Write, thread, time::Duration};

    use greenthread_tokio::RuntimeExt;
    pub use tokio::runtime::*;
    use tokio::task::JoinHandle;

    #[derive(Debug)]
    pub struct Builder {
        tokio: tokio::runtime::Builder,
        workers: usize,
        start_paused: bool,
    }

    impl Builder {
        pub fn new_current_thread() -> Self {
            Self { tokio: tokio::runtime::Builder::new_current_thread(), workers: 1, start_paused: false }
        }

        pub fn new_multi_thread() -> Self {
            Self { tokio: tokio::runtime::Builder::new_multi_thread(), workers: 2, start_paused: false }
        }

        pub fn enable_all(&mut self) -> &mut Self {
            self.tokio.enable_all();
            self
        }

        pub fn enable_io(&mut self) -> &mut Self {
            self.tokio.enable_io();
            self
        }

        pub fn enable_time(&mut self) -> &mut Self {
            self.tokio.enable_time();
            self
        }

        pub fn worker_threads(&mut self, number: usize) -> &mut Self {
            self.tokio.worker_threads(number);
            self.workers = number;
            self
        }

        pub fn start_paused(&mut self, is_paused: bool) -> &mut Self {
            self.tokio.start_paused(is_paused);
            self.start_paused = is_paused;
            self
        }

        pub fn thread_name(&mut self, name: impl Into<String>) -> &mut Self {
            self.tokio.thread_name(name);
            self
        }

        pub fn build(&mut self) -> io::Result<Runtime> {
            if is_tokio() {
                return Ok(Runtime(Kind::Tokio(self.tokio.build()?)));
            }
            self.build_green()
        }

        pub fn build_local(&mut self, options: LocalOptions) -> io::Result<LocalRuntime> {
            if is_tokio() {
                return Ok(LocalRuntime::Tokio(self.tokio.build_local(options)?));
            }
            Ok(LocalRuntime::Green(self.build_green()?))
        }

        fn build_green(&self) -> io::Result<Runtime> {
            let start_paused = self.start_paused;
            let configure = move |tokio: &mut tokio::runtime::Builder| _ = tokio.start_paused(start_paused);
            let green =
                greenthread::Runtime::builder().workers(self.workers).tokio_with(configure).build()?;
            let handle = green.run(Handle::current);
            Ok(Runtime(Kind::Green(Box::new(green), handle)))
        }
    }

    fn is_tokio() -> bool {
        env::var_os("STAND_IN").is_some_and(|value| value == "tokio")
    }

    /// Notes which test has come here.
    fn note() {
        if let Some(log) = env::var_os("STAND_IN_LOG") {
            let name = thread::current().name().unwrap_or("?").to_owned();
            let file = File::options().append(true).create(true).open(log);
            _ = file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
        }
    }

    /// A worker's tokio is of this kind as well.
    #[derive(Debug)]
    pub enum LocalRuntime {
        Tokio(tokio::runtime::LocalRuntime),
        Green(Runtime),
    }

    impl LocalRuntime {
        pub fn block_on<F: Future>(&self, future: F) -> F::Output {
            match self {
                Self::Tokio(tokio) => {
                    note();
                    tokio.block_on(future)
                }
                Self::Green(green) => green.block_on(future),
            }
        }
    }

    #[derive(Debug)]
    enum Kind {
        Tokio(tokio::runtime::Runtime),
        Green(Box<greenthread::Runtime>, Handle),
    }

    #[derive(Debug)]
    pub struct Runtime(Kind);

    /// What is sent to a thread that the sender waits for.
    struct Lent<T>(T);

    // SAFETY: the sender touches nothing until the other thread has ended (invariant 1), so all
    // happens as if on one thread. Values that are tied to their thread's thread-locals would
    // notice; there are none in these tests.
    unsafe impl<T> Send for Lent<T> {}

    impl Runtime {
        pub fn new() -> io::Result<Self> {
            Builder::new_multi_thread().enable_all().build()
        }

        pub fn block_on<F: Future>(&self, future: F) -> F::Output {
            note();
            let green = match &self.0 {
                Kind::Tokio(tokio) => return tokio.block_on(future),
                Kind::Green(green, _) => green,
            };
            let lent = Lent(future);
            let run = move || {
                let lent = lent;
                Lent(greenthread::block_on(lent.0))
            };
            green.run(run).0
        }

        pub fn handle(&self) -> &Handle {
            match &self.0 {
                Kind::Tokio(tokio) => tokio.handle(),
                Kind::Green(_, handle) => handle,
            }
        }

        pub fn enter(&self) -> EnterGuard<'_> {
            self.handle().enter()
        }

        pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
        where
            F: Future<Output: Send> + Send + 'static,
        {
            self.handle().spawn(future)
        }

        pub fn spawn_blocking<F, T>(&self, f: F) -> JoinHandle<T>
        where
            F: FnOnce() -> T + Send + 'static,
            T: Send + 'static,
        {
            self.handle().spawn_blocking(f)
        }

        pub fn shutdown_timeout(self, timeout: Duration) {
            match self.0 {
                Kind::Tokio(tokio) => tokio.shutdown_timeout(timeout),
                Kind::Green(green, _) => _ = green.shutdown_timeout(timeout),
            }
        }
    }
}
