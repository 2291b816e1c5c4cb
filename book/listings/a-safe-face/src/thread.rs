// ANCHOR: head
//! Threads: spawning, turns, waiting for results.
//!
//! What the safety of this room rests on:
//!
//! 1. Everything in here belongs to one OS thread: what others could reach is behind `Rc`,
//!    which isn't `Send`.
//! 2. `Thread::context` holds the thread's context while it is suspended, and that of `run`
//!    while it runs.
//! 3. A stack is given back in one place, `turn`, when its thread has ended. If a thread never
//!    ends, its stack stays for ever: what lies on it may be lent out.
//! 4. No code of the user's runs while one of our cells is borrowed.
//! 5. `run` comes back, by return or panic, only when no thread is left. A thread may have lent
//!    out what belongs to the OS thread, which may end once `run` is back.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::{fmt, io, mem, process, ptr};

use crate::root::{self, Outcome};
use crate::stack::Stack;
use crate::switch::{Context, prepare, switch};
// ANCHOR_END: head

// ANCHOR: thread
/// A green thread.
struct Thread {
    name: Option<String>,
    context: Cell<Context>,
    /// Until it has ended.
    stack: RefCell<Option<Stack>>,
    /// Until it has started.
    task: Cell<Option<Box<dyn FnOnce()>>>,
    state: Cell<State>,
}

#[derive(Clone, Copy)]
enum State {
    /// It runs, or it is in the queue.
    Ready,
    /// It is in nobody's queue. Somebody has its `Rc`, to make it ready one day.
    Waiting,
    Ended,
}

thread_local! {
    static READY: RefCell<VecDeque<Rc<Thread>>> = const { RefCell::new(VecDeque::new()) };
    /// The thread whose turn it is: a local variable of `turn`. Null if it is nobody's turn.
    static CURRENT: Cell<*const Rc<Thread>> = const { Cell::new(ptr::null()) };
    /// How many threads have not ended.
    static ALIVE: Cell<usize> = const { Cell::new(0) };
}
// ANCHOR_END: thread

// ANCHOR: drop
impl Drop for Thread {
    fn drop(&mut self) {
        // Still there, so the thread has not ended: invariant 3.
        mem::forget(self.stack.take());
    }
}
// ANCHOR_END: drop

// ANCHOR: run
/// Runs `f` as a green thread, and all the threads that it spawns. Returns when all of them
/// have ended. If threads are left that wait for each other, it ends the process.
///
/// # Panics
/// Within another `run`.
pub fn run<F, T>(f: F) -> T
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    assert!(ALIVE.get() == 0, "there is a `run` already on this OS thread");
    let main =
        Builder::new().name("main".into()).start(f).expect("there is memory for one stack");
    while let Some(thread) = READY.with_borrow_mut(VecDeque::pop_front) {
        turn(thread);
    }
    let left = ALIVE.get();
    if left != 0 {
        // A panic would break invariant 5.
        eprintln!("deadlock: threads that wait for each other: {left}");
        process::abort();
    }
    root::unwrap(main.0.outcome.take().expect("it has ended"))
}

/// Gives a thread its turn.
fn turn(thread: Rc<Thread>) {
    CURRENT.set(&raw const thread);
    // SAFETY: Invariants 1 and 2. The stack is there, by invariant 3.
    unsafe { switch(thread.context.as_ptr()) };
    CURRENT.set(ptr::null());
    match thread.state.get() {
        State::Ready => READY.with_borrow_mut(|ready| ready.push_back(thread)),
        State::Waiting => {}
        State::Ended => {
            ALIVE.set(ALIVE.get() - 1);
            // Here nobody stands on it any more.
            drop(thread.stack.take());
        }
    }
}

/// Ends this thread's turn, with what it is to be afterwards.
fn suspend(state: State) {
    let suspended = with_current(|thread| {
        thread.state.set(state);
        thread.context.as_ptr()
    });
    if let Some(context) = suspended {
        // SAFETY: Invariants 1 and 2: `run` waits there, and keeps the thread.
        unsafe { switch(context) };
    }
}

fn with_current<R>(f: impl FnOnce(&Rc<Thread>) -> R) -> Option<R> {
    // SAFETY: Null, or what `turn` has put there. It waits, and keeps the thread in place
    // meanwhile.
    unsafe { CURRENT.get().as_ref() }.map(f)
}

/// Lets the other threads have their turns. Outside of `run` it does nothing.
pub fn yield_now() {
    suspend(State::Ready);
}

/// The first function on each stack.
extern "C" fn start() -> ! {
    let task = with_current(|thread| thread.task.take()).flatten();
    task.expect("a thread starts once, in its turn")();
    suspend(State::Ended);
    unreachable!("a thread that has ended gets no more turns")
}
// ANCHOR_END: run

// ANCHOR: spawn
/// Spawns a thread: [`Builder::spawn`] for those who ask for nothing special.
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    Builder::new().spawn(f).expect("there is memory for a stack")
}

/// A thread to be, with a name or a stack size of its own.
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
}

impl Builder {
    /// A thread without a name, on a stack of the usual size.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the thread.
    pub fn name(self, name: String) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Sets the size of the thread's stack, in bytes. It gets at least 64 KiB.
    pub fn stack_size(self, bytes: usize) -> Self {
        Self { stack_size: Some(bytes), ..self }
    }

    /// Spawns the thread. It has its first turn when those before it in the queue have had
    /// theirs.
    ///
    /// # Errors
    /// If there is no memory for its stack.
    ///
    /// # Panics
    /// Outside of `run`, where nobody would give it a turn.
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        assert!(
            with_current(|_| ()).is_some(),
            "threads are spawned by threads: use `run` for the first one"
        );
        self.start(f)
    }

    fn start<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        let packet = Rc::new(Packet { outcome: Cell::new(None), joiner: Cell::new(None) });
        let theirs = packet.clone();
        let task = move || {
            theirs.outcome.set(Some(root::call(f)));
            if let Some(joiner) = theirs.joiner.take() {
                make_ready(joiner);
            }
        };
        let stack = Stack::new(self.stack_size.unwrap_or(Stack::DEFAULT_SIZE))?;
        // SAFETY: The new stack is nobody else's.
        let context = unsafe { prepare(stack.memory(), start) };
        make_ready(Rc::new(Thread {
            name: self.name,
            context: Cell::new(context),
            stack: RefCell::new(Some(stack)),
            task: Cell::new(Some(Box::new(task))),
            state: Cell::new(State::Ready),
        }));
        ALIVE.set(ALIVE.get() + 1);
        Ok(JoinHandle(packet))
    }
}

fn make_ready(thread: Rc<Thread>) {
    thread.state.set(State::Ready);
    READY.with_borrow_mut(|ready| ready.push_back(thread));
}
// ANCHOR_END: spawn

// ANCHOR: join
/// The right to a thread's outcome. Dropped, it leaves the thread to itself.
pub struct JoinHandle<T>(Rc<Packet<T>>);

/// What a thread and its handle share.
struct Packet<T> {
    outcome: Cell<Option<Outcome<T>>>,
    joiner: Cell<Option<Rc<Thread>>>,
}

impl<T> JoinHandle<T> {
    /// Waits for the thread's end.
    ///
    /// # Panics
    /// Outside of `run`.
    pub fn join(self) -> Outcome<T> {
        loop {
            if let Some(outcome) = self.0.outcome.take() {
                return outcome;
            }
            let me = with_current(Rc::clone)
                .expect("only threads wait for threads: use `run` for the first one");
            self.0.joiner.set(Some(me));
            suspend(State::Waiting);
        }
    }
}
// ANCHOR_END: join

// ANCHOR: rest
impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

/// The name of the running green thread, if there is one and it has one.
pub fn name() -> Option<String> {
    with_running(|name, _| Some(name?.to_owned())).flatten()
}

/// Calls `f` with the name and the stack of the running green thread, if there is one. `f`
/// calls nothing of the user's.
pub(crate) fn with_running<R>(f: impl FnOnce(Option<&str>, &Stack) -> R) -> Option<R> {
    with_current(|thread| {
        thread.stack.borrow().as_ref().map(|stack| f(thread.name.as_deref(), stack))
    })
    .flatten()
}
// ANCHOR_END: rest
