//! The models' foundation: running them, threads, and a driver to sleep in.

use std::{
    cell::Cell,
    env, io,
    panic::{AssertUnwindSafe, catch_unwind},
    process::{self, Command, Stdio},
    sync::{
        Arc, Mutex, Once,
        atomic::{AtomicBool as Plain, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Instant,
};

use loom::{
    sync::atomic::{AtomicBool, Ordering},
    thread::Thread,
};

use crate::atomic::{BUG, Bug};

/// Runs the calling test in a process of its own, and `test` only there. In the parent, further
/// calls of the same test return at once: their turn has come in the child.
///
/// The checker maps a stack for each thread of each interleaving, and unmaps it. Two tests that do
/// so in one process wait for each other's mappings, and interrupt each other to forget them. That
/// takes longer than both tests need one after the other.
pub(crate) fn alone(test: impl FnOnce()) {
    const CHILD: &str = "GREENTHREAD_TEST_CHILD";
    thread_local!(static HAS_RUN: Cell<bool> = const { Cell::new(false) });
    if env::var_os(CHILD).is_some() {
        end_with_parent();
        return test();
    }
    if HAS_RUN.replace(true) {
        return;
    }
    let (program, this) = (env::current_exe().expect("this program"), thread::current());
    // The harness gives the thread the test's name.
    let name = this.name().expect("a test's thread");
    let mut command = Command::new(program);
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(CHILD, name);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the child runs");
    let _alive = child.stdin.take();
    let output = child.wait_with_output().expect("the child ends");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{}\n{out}{err}", output.status);
    eprint!("{err}");
}

/// Ends the process as soon as its parent has ended and so closed the other end of its input.
fn end_with_parent() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        thread::spawn(|| {
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            process::exit(1);
        });
    });
}

/// Runs `model` through all interleavings, or those with up to `preemptions` if that is given.
pub(crate) fn check(preemptions: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    alone(|| explore(preemptions, model));
}

fn explore(preemptions: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let (runs, start) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check({
        let runs = runs.clone();
        move || {
            runs.fetch_add(1, Relaxed);
            model();
        }
    });
    eprintln!("{} interleavings, {:.1?}", runs.load(Relaxed), start.elapsed());
}

/// Runs `model` with buggy atomics. The checker must find the bug, and its message must have
/// `complaint` in it. Three preemptions are enough for each of our bugs. Most need fewer, and are
/// found much sooner with fewer.
pub(crate) fn finds(bug: Bug, complaint: &str, model: impl Fn() + Sync + Send + 'static) {
    alone(|| find(bug, complaint, model));
}

fn find(bug: Bug, complaint: &str, model: impl Fn() + Sync + Send + 'static) {
    let model = Arc::new(model);
    BUG.set(bug);
    let found = (1..=3).find_map(|preemptions| {
        let model = model.clone();
        catch_unwind(AssertUnwindSafe(|| explore(Some(preemptions), move || model()))).err()
    });
    BUG.set(Bug::None);
    let panic = found.expect("the bug was not found");
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    assert!(message.contains(complaint), "{message:?} is not about {complaint:?}");
}

/// A place where one thread sleeps. A sleep returns at once if a wake-up has come before it.
///
/// Loom's `Notify` and `Mutex` are not used, since they print a line at each use. Accesses to std's
/// types are no part of the model: no other thread runs before the next access to one of loom's.
#[derive(Debug)]
pub(crate) struct Driver {
    token: AtomicBool,
    sleeper: Mutex<Option<Thread>>,
    wakes: AtomicUsize,
    woken: Plain,
}

impl Driver {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            token: AtomicBool::new(false),
            sleeper: Mutex::new(None),
            wakes: AtomicUsize::new(0),
            woken: Plain::new(false),
        })
    }

    pub(crate) fn sleep(&self) {
        while !self.take() {
            *self.sleeper.lock().expect("the sleeper") = Some(loom::thread::current());
            loom::thread::park();
        }
    }

    /// Takes the wake-up, and returns whether there was one. A sleep whose deadline has passed ends
    /// this way.
    pub(crate) fn take(&self) -> bool {
        let taken = self.token.swap(false, Ordering::Acquire);
        if taken {
            self.woken.store(false, Relaxed);
        }
        taken
    }

    pub(crate) fn wake(&self) {
        self.wakes.fetch_add(1, Relaxed);
        self.token.swap(true, Ordering::Release);
        self.woken.store(true, Relaxed);
        let sleeper = self.sleeper.lock().expect("the sleeper").take();
        if let Some(sleeper) = sleeper {
            sleeper.unpark();
        }
    }

    /// Whether a wake-up has not been taken. Asked when all threads have ended.
    pub(crate) fn is_woken(&self) -> bool {
        self.woken.load(Relaxed)
    }

    /// The number of wake-ups so far.
    pub(crate) fn wakes(&self) -> usize {
        self.wakes.load(Relaxed)
    }
}

/// A handle to wait for a thread. Loom's `join` would print a line.
pub(crate) struct Joiner(Arc<Driver>);

pub(crate) fn spawn(f: impl FnOnce() + 'static) -> Joiner {
    let end = Driver::new();
    loom::thread::spawn({
        let end = end.clone();
        move || {
            f();
            end.wake();
        }
    });
    Joiner(end)
}

impl Joiner {
    pub(crate) fn join(self) {
        self.0.sleep();
    }
}

/// One thread loads while another one loads and then stores. The first must see the value before
/// the store in one interleaving, and the value after it in another.
#[test]
fn a_load_hides_no_other() {
    alone(|| {
        let seen = Arc::new([const { Plain::new(false) }; 2]);
        check(None, {
            let seen = seen.clone();
            move || {
                let value = Arc::new(crate::atomic::AtomicUsize::new(0));
                spawn({
                    let value = value.clone();
                    move || {
                        let old = value.load(Relaxed);
                        value.swap(old + 1, Relaxed);
                    }
                });
                seen[value.load(Relaxed)].store(true, Relaxed);
            }
        });
        assert!(seen.iter().all(|seen| seen.load(Relaxed)));
    });
}
