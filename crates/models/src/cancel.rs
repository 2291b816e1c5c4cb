//! The tree of scopes, and cancellers that go down: each thread in a cancelled scope finds out,
//! awake or asleep, and no canceller touches a scope that its thread has left. The threads here are
//! OS threads with the library's parker, which is interrupted; `notes` has green threads.

use std::{
    marker::PhantomData,
    ptr,
    sync::{
        Arc,
        atomic::{AtomicUsize as Plain, Ordering::Relaxed as Any},
    },
    time::Instant,
};

use loom::cell::UnsafeCell;

use crate::{
    atomic::{
        AtomicBool, Bug,
        Ordering::{Acquire, Release},
    },
    harness::{check, finds, spawn},
    library::{
        cancel_node::{CancelNode, In, List, State},
        state::{Claimed, Outcome, WaitState},
    },
    sys::{
        fd::BorrowedFd,
        parker::{End, Parker},
        poller::Interest,
    },
};

/// A mistake of a model.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// The canceller goes down before it has cancelled.
    WalksEarly,
    /// A thread looks before it has linked its scope.
    LooksEarly,
    /// A token's canceller goes through the scopes before it sets the mark.
    MarksLate,
    /// A thread that is cancelled goes on without having claimed its wait.
    ClaimsNothing,
    /// It goes on parked, so that a claimer owes it a wake-up.
    StaysParked,
}

/// A scope that threads of the model share.
struct Scope {
    node: CancelNode,
    token: List,
    is_marked: AtomicBool,
}

// SAFETY: all threads of a model run on one OS thread.
unsafe impl Send for Scope {}
// SAFETY: as above.
unsafe impl Sync for Scope {}

impl Scope {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            node: CancelNode::new(ptr::null(), false, None),
            token: List::new(),
            is_marked: AtomicBool::new(false),
        })
    }

    /// As `cancel::cancel`.
    fn cancel(&self, mistake: Mistake) {
        if mistake == Mistake::WalksEarly {
            self.node.visit_tree(interrupt);
        }
        if self.node.end(State::Cancelled) && mistake != Mistake::WalksEarly {
            self.node.visit_tree(interrupt);
        }
    }

    /// As `Token::cancel`.
    fn cancel_token(&self, mistake: Mistake) {
        if mistake != Mistake::MarksLate {
            self.is_marked.store(true, Release);
        }
        for node in self.token.lock().nodes(In::Token) {
            if node.end(State::Cancelled) {
                node.visit_tree(interrupt);
            }
        }
        if mistake == Mistake::MarksLate {
            self.is_marked.store(true, Release);
        }
    }
}

/// As `cancel::interrupt`. Reads the frame that the scope is in, so that loom sees a canceller that
/// is there too late.
fn interrupt(node: &CancelNode) {
    // SAFETY: the pointer of a scope in a frame is that of the frame's memory.
    if let Some(memory) = unsafe { node.thread().cast::<UnsafeCell<u32>>().as_ref() } {
        // SAFETY: loom reports a race.
        memory.with(|memory| unsafe { assert_eq!(*memory, 0) });
    }
    if let Some(parker) = node.parker() {
        parker.interrupt();
    }
}

/// A frame with a scope. When the scope has been left, the memory is used for something else.
struct Frame {
    node: CancelNode,
    memory: UnsafeCell<u32>,
}

impl Frame {
    fn new(parent: &CancelNode, is_shield: bool, parker: &Arc<Parker>) -> Box<Self> {
        let mut node = CancelNode::new(parent, is_shield, None);
        node.set_parker(parker.clone());
        let mut frame = Box::new(Self { node, memory: UnsafeCell::new(0) });
        frame.node.set_thread(ptr::from_ref(&frame.memory).cast());
        frame
    }

    fn enter(&self) {
        // SAFETY: the frame stays until `leave`, and so does its parent.
        unsafe { (*self.node.parent()).children().attach(&self.node, In::Parent) };
    }

    fn leave(self: Box<Self>) {
        // SAFETY: `enter` has attached it.
        unsafe { (*self.node.parent()).children().detach(&self.node, In::Parent) };
        // SAFETY: loom reports a race.
        self.memory.with_mut(|memory| unsafe { *memory = 1 });
    }
}

/// Whether a scope is cancelled, from one of a thread's up to the root, or a shield.
fn is_cancelled(mut node: &CancelNode) -> bool {
    loop {
        if node.state() != State::Live {
            return true;
        }
        if node.is_shield() {
            return false;
        }
        // SAFETY: a parent outlives its children.
        match unsafe { node.parent().as_ref() } {
            Some(parent) => node = parent,
            None => return false,
        }
    }
}

/// As `Waiter::wait_os`, for a thread that nothing but a cancellation ends.
fn sleep_until_cancelled(node: &CancelNode, parker: &Parker) {
    while !is_cancelled(node) {
        assert_eq!(parker.sleep(None, true), End::Interrupted);
    }
}

/// As `descriptor::os_thread::wait`, for a descriptor that never becomes ready.
fn poll_until_cancelled(node: &CancelNode, parker: &Parker) {
    while !is_cancelled(node) {
        let polled = parker.poll(BorrowedFd(PhantomData), Interest::Read, None);
        assert_eq!(polled.unwrap(), End::Interrupted);
    }
}

/// Two threads enter scopes below one that is cancelled meanwhile, the second one by way of another
/// scope. The first one waits for a descriptor. Each finds out, and leaves.
fn tree(mistake: Mistake) {
    let root = Scope::new();
    let threads = [1, 2].map(|depth| {
        let root = root.clone();
        spawn(move || {
            let parker = Arc::new(Parker::default());
            let outer = Frame::new(&root.node, false, &parker);
            let looked = is_cancelled(&outer.node);
            outer.enter();
            let inner = (depth == 2).then(|| {
                let inner = Frame::new(&outer.node, false, &parker);
                inner.enter();
                inner
            });
            let innermost = inner.as_deref().unwrap_or(&outer);
            match mistake {
                Mistake::LooksEarly if looked => {}
                Mistake::LooksEarly => assert_eq!(parker.sleep(None, true), End::Interrupted),
                _ if depth == 1 => poll_until_cancelled(&innermost.node, &parker),
                _ => sleep_until_cancelled(&innermost.node, &parker),
            }
            inner.into_iter().for_each(Frame::leave);
            outer.leave();
        })
    });
    root.cancel(mistake);
    threads.into_iter().for_each(|thread| thread.join());
}

#[test]
fn each_thread_below_finds_out() {
    check(Some(3), || tree(Mistake::None));
}

#[test]
fn finds_a_canceller_that_walks_early() {
    finds(Bug::None, "deadlock", || tree(Mistake::WalksEarly));
}

#[test]
fn finds_a_thread_that_looks_early() {
    finds(Bug::None, "deadlock", || tree(Mistake::LooksEarly));
}

#[test]
fn finds_a_lock_that_releases_nothing() {
    finds(Bug::NoRelease, "", || tree(Mistake::None));
}

#[test]
fn finds_a_lock_that_tears() {
    finds(Bug::TornSwap, "", || tree(Mistake::None));
}

/// Threads come and go without waiting, next to each other in the list, while the canceller walks.
fn come_and_go() {
    let root = Scope::new();
    let visits = Arc::new(Plain::new(0));
    let threads = [(); 2].map(|()| {
        let root = root.clone();
        spawn(move || {
            let parker = Arc::new(Parker::default());
            let frame = Frame::new(&root.node, false, &parker);
            frame.enter();
            frame.leave();
        })
    });
    root.node.visit_tree(|node| {
        visits.fetch_add(1, Any);
        interrupt(node);
    });
    assert!((1..=3).contains(&visits.load(Any)));
    threads.into_iter().for_each(|thread| thread.join());
}

#[test]
fn no_canceller_sees_a_scope_that_was_left() {
    check(Some(3), come_and_go);
}

#[test]
fn finds_lists_without_a_lock() {
    finds(Bug::TornSwap, "", come_and_go);
}

/// Two cancellers, one of the root and one of a scope below it.
#[test]
fn two_cancellers_meet() {
    check(Some(2), || {
        let root = Scope::new();
        let parker = Arc::new(Parker::default());
        let outer = Frame::new(&root.node, false, &parker);
        outer.enter();
        let inner = Frame::new(&outer.node, false, &parker);
        inner.enter();
        let canceller = {
            let root = root.clone();
            spawn(move || root.cancel(Mistake::None))
        };
        if outer.node.end(State::Cancelled) {
            outer.node.visit_tree(interrupt);
        }
        sleep_until_cancelled(&inner.node, &parker);
        inner.leave();
        outer.leave();
        canceller.join();
        assert_eq!(root.node.state(), State::Cancelled);
    });
}

/// What is behind a shield is not visited, what is beside it is, and the walk ends.
#[test]
fn a_walk_goes_round_shields() {
    check(None, || {
        let root = Scope::new();
        let parker = Arc::new(Parker::default());
        let frames: Vec<_> = [false, true, false, true]
            .into_iter()
            .map(|is_shield| {
                let frame = Frame::new(&root.node, is_shield, &parker);
                frame.enter();
                frame
            })
            .collect();
        let below: Vec<_> = frames
            .iter()
            .map(|frame| {
                let below = Frame::new(&frame.node, false, &parker);
                below.enter();
                below
            })
            .collect();
        let visited = std::cell::RefCell::new(Vec::new());
        root.node.visit_tree(|node| visited.borrow_mut().push(ptr::from_ref(node)));
        let expected = [&root.node, &frames[2].node, &below[2].node, &frames[0].node, &below[0].node];
        assert_eq!(visited.into_inner(), expected.map(ptr::from_ref));
        below.into_iter().chain(frames).for_each(Frame::leave);
        // All locks have been given back.
        drop(root.node.children().lock());
    });
}

/// A thread that finds out by itself, without a lock, sees what was written before it was
/// cancelled.
fn look() {
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    let shared = Arc::new((CancelNode::new(ptr::null(), false, None), UnsafeCell::new(0)));
    let canceller = {
        let shared = shared.clone();
        spawn(move || {
            // SAFETY: loom reports a race.
            shared.1.with_mut(|reason| unsafe { *reason = 7 });
            assert!(shared.0.end(State::Cancelled));
        })
    };
    while !is_cancelled(&shared.0) {
        loom::thread::yield_now();
    }
    // SAFETY: loom reports a race.
    shared.1.with(|reason| unsafe { assert_eq!(*reason, 7) });
    canceller.join();
}

#[test]
fn a_look_brings_what_was_before() {
    check(None, look);
}

#[test]
fn finds_a_look_that_acquires_nothing() {
    finds(Bug::NoAcquire, "Causality violation", look);
}

/// A thread runs under a token that is cancelled meanwhile.
fn token(mistake: Mistake) {
    let scope = Scope::new();
    let canceller = {
        let scope = scope.clone();
        spawn(move || scope.cancel_token(mistake))
    };
    let parker = Arc::new(Parker::default());
    let mut node = Box::new(CancelNode::new(ptr::null(), false, None));
    node.set_parker(parker.clone());
    // SAFETY: the node stays until it is detached.
    unsafe { scope.token.attach(&node, In::Token) };
    // As `Token::run`.
    if !scope.is_marked.load(Acquire) {
        sleep_until_cancelled(&node, &parker);
    }
    // SAFETY: as above.
    unsafe { scope.token.detach(&node, In::Token) };
    canceller.join();
}

#[test]
fn a_token_reaches_who_comes_late() {
    check(None, || token(Mistake::None));
}

#[test]
fn finds_a_token_that_is_marked_late() {
    finds(Bug::None, "deadlock", || token(Mistake::MarksLate));
}

/// An OS thread waits; it is woken, cancelled, and its deadline may pass.
struct Wait {
    state: WaitState,
    sleeper: UnsafeCell<Option<Arc<Parker>>>,
}

impl Wait {
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    fn new() -> Arc<Self> {
        Arc::new(Self { state: WaitState::new(), sleeper: UnsafeCell::new(None) })
    }

    fn set_sleeper(&self, parker: Option<Arc<Parker>>) {
        // SAFETY: loom reports a race.
        self.sleeper.with_mut(|sleeper| unsafe { *sleeper = parker });
    }

    fn wake(&self) -> bool {
        let claimed = self.state.claim(Outcome::Woken);
        if claimed == Claimed::Parked {
            // SAFETY: loom reports a race.
            let parker = self.sleeper.with(|sleeper| unsafe { (*sleeper).clone() });
            parker.expect("a waiter says who it is before it parks").unpark();
        }
        claimed != Claimed::Lost
    }

    /// As `Waiter::wait_os`, and as `Waiter::end_by_cancellation` behind it.
    fn wait(&self, node: &CancelNode, parker: &Arc<Parker>, deadline: bool, mistake: Mistake) -> Outcome {
        self.set_sleeper(Some(parker.clone()));
        if let Some(outcome) = self.state.park() {
            return outcome;
        }
        loop {
            if is_cancelled(node) {
                if mistake == Mistake::StaysParked || self.state.interrupt() {
                    break;
                }
                parker.park();
                return self.state.outcome().expect("a claim");
            }
            match parker.sleep(deadline.then(Instant::now), true) {
                End::Token => return self.state.outcome().expect("a claim"),
                End::Interrupted => {}
                End::Deadline => match self.state.claim(Outcome::TimedOut) {
                    Claimed::Parked => return Outcome::TimedOut,
                    _ => {
                        parker.park();
                        return self.state.outcome().expect("a claim");
                    }
                },
            }
        }
        if mistake == Mistake::ClaimsNothing {
            return Outcome::Cancelled;
        }
        match self.state.claim(Outcome::Cancelled) {
            Claimed::Lost => self.state.outcome().expect("a claim"),
            _ => Outcome::Cancelled,
        }
    }
}

fn race(deadline: bool, mistake: Mistake) {
    let (root, wait, parker) = (Scope::new(), Wait::new(), Arc::new(Parker::default()));
    let frame = Frame::new(&root.node, false, &parker);
    frame.enter();
    let won = Arc::new(Plain::new(0));
    let waker = {
        let (wait, won) = (wait.clone(), won.clone());
        spawn(move || won.store(usize::from(wait.wake()), Any))
    };
    let canceller = {
        let root = root.clone();
        spawn(move || root.cancel(Mistake::None))
    };
    let outcome = wait.wait(&frame.node, &parker, deadline, mistake);
    frame.leave();
    waker.join();
    canceller.join();
    assert_eq!(outcome == Outcome::Woken, won.load(Any) == 1, "one claim, and the waiter knows whose");
    // Nothing is left for the next wait. An interruption may be, which that one shrugs off.
    let next = parker.sleep(Some(Instant::now()), false);
    assert_eq!(next, End::Deadline, "a wake-up is left");
}

#[test]
fn a_wake_up_and_a_cancellation_of_an_os_thread() {
    check(Some(3), || race(false, Mistake::None));
}

#[test]
fn and_a_deadline() {
    check(Some(3), || race(true, Mistake::None));
}

#[test]
fn finds_a_cancelled_thread_that_claims_nothing() {
    finds(Bug::None, "one claim", || race(false, Mistake::ClaimsNothing));
}

#[test]
fn finds_a_cancelled_thread_that_stays_parked() {
    finds(Bug::None, "a wake-up is left", || race(false, Mistake::StaysParked));
}

#[test]
fn finds_a_claim_that_tears() {
    finds(Bug::TornExchange, "", || race(false, Mistake::None));
}

/// Nobody wakes the thread but the canceller, though the interruption may come before it sleeps,
/// and though a sleep that can't be interrupted comes between.
#[test]
fn an_interruption_waits_for_a_sleep_that_asks() {
    check(None, || {
        let parker = Arc::new(Parker::default());
        let other = {
            let parker = parker.clone();
            spawn(move || {
                parker.interrupt();
                parker.unpark();
            })
        };
        parker.park();
        assert_eq!(parker.sleep(None, true), End::Interrupted);
        other.join();
    });
}
