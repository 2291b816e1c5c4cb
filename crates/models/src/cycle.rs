//! Threads that join each other in a circle. One finds the circle, withdraws and ends; then the
//! others end one after the other.

use std::{
    ptr::{self, NonNull},
    sync::{
        Arc,
        atomic::{AtomicBool as Plain, AtomicUsize as PlainCount},
    },
};

use loom::{cell::UnsafeCell, sync::Mutex};

use crate::{
    atomic::{
        AtomicPtr, AtomicU32, AtomicUsize, Bug,
        Ordering::{AcqRel, Acquire, Relaxed},
        without_fence,
    },
    harness::{check, finds, spawn},
    library::cycle::{Thread, await_walkers, closes, withdraw},
};

/// A mistake of one of the threads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// No fences around a walk.
    WalkHasNoFence,
    /// No fence between withdrawing and looking for walkers.
    WithdrawalHasNoFence,
    /// Walkers are not waited for.
    WalkersForgotten,
    /// A thread that has found a cycle withdraws without a second walk.
    NoSecondWalk,
}

struct Node {
    /// The thread that joins this one, or `ended`.
    end: AtomicPtr<Node>,
    /// The thread has ended: its memory may belong to another one.
    gone: Plain,
    /// That memory. Loom sees whether a walk reads it as the thread ends.
    memory: UnsafeCell<()>,
    /// The thread sleeps here; a wake-up that came before is kept.
    wait: AtomicU32,
}

const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;
const WOKEN: u32 = 2;

/// A pointer that is not null and belongs to no node.
fn ended() -> *mut Node {
    ptr::without_provenance_mut(1)
}

// SAFETY: this is what the model is to find out.
unsafe impl Thread for Node {
    fn has_dependent(&self) -> bool {
        !self.end.load(Relaxed).is_null()
    }

    unsafe fn dependent(&self) -> Option<NonNull<Self>> {
        self.look();
        let end = self.end.load(Acquire);
        let next = NonNull::new(end).filter(|end| end.as_ptr() != ended());
        if let Some(next) = next {
            // In the library the dependent's identity is on its own stack. Other threads may run
            // before it is read there.
            self.end.load(Relaxed);
            // SAFETY: the model keeps all nodes.
            unsafe { next.as_ref() }.look();
        }
        next
    }
}

impl Node {
    fn look(&self) {
        assert!(!self.gone.load(Relaxed), "a walk among the dead");
        self.memory.with(|_| {});
    }

    /// The thread ends, and wakes its joiner.
    fn finish(&self) {
        let joiner = self.end.swap(ended(), AcqRel);
        self.gone.store(true, Relaxed);
        self.memory.with_mut(|_| {});
        if !joiner.is_null() && joiner != ended() {
            // SAFETY: the model keeps all nodes.
            let joiner = unsafe { &*joiner };
            if joiner.wait.swap(WOKEN, AcqRel) == ASLEEP {
                joiner.finish();
            }
        }
    }

    /// The thread waits for the one that it joins, and then ends.
    fn sleep(&self) {
        if self.wait.swap(ASLEEP, AcqRel) == WOKEN {
            self.finish();
        }
    }
}

struct World {
    mistake: Mistake,
    nodes: Vec<Node>,
    walkers: Vec<AtomicUsize>,
    lock: Mutex<()>,
    withdrawn: PlainCount,
    here: PlainCount,
}

impl World {
    /// Thread `i` joins the next one.
    fn join(&self, i: usize) {
        let n = self.nodes.len();
        let (me, next) = (&self.nodes[i], &self.nodes[(i + 1) % n]);
        let mine = ptr::from_ref(me).cast_mut();
        if next.end.compare_exchange(ptr::null_mut(), mine, AcqRel, Acquire).is_err() {
            // It has ended.
            me.finish();
            return self.leave();
        }
        // SAFETY: this is what the model is to find out.
        let look = || unsafe { closes(me, next, &self.walkers[i]) };
        let found = if self.mistake == Mistake::WalkHasNoFence { without_fence(look) } else { look() };
        if found && self.withdraw(i, me, next, mine) {
            self.withdrawn.fetch_add(1, Relaxed);
            me.finish();
        } else {
            me.sleep();
        }
        self.leave();
    }

    fn withdraw(&self, i: usize, me: &Node, next: &Node, mine: *mut Node) -> bool {
        let undo = || {
            let undone = next.end.compare_exchange(mine, ptr::null_mut(), AcqRel, Acquire);
            assert!(undone.is_ok() || self.mistake != Mistake::None, "it has ended meanwhile");
        };
        if self.mistake == Mistake::NoSecondWalk {
            undo();
            return true;
        }
        // Its own count is 0 anyway. Without it loom has fewer accesses to order.
        let forgotten = self.mistake == Mistake::WalkersForgotten;
        let others = self.walkers.iter().enumerate().filter(|(other, _)| *other != i && !forgotten);
        let others = others.map(|(_, walkers)| walkers);
        let lock = self.lock.lock();
        // SAFETY: this is what the model is to find out.
        let withdrawn = || unsafe { withdraw(me, next, others, undo, loom::thread::yield_now) };
        let withdrawn = match self.mistake {
            Mistake::WithdrawalHasNoFence => without_fence(withdrawn),
            _ => withdrawn(),
        };
        drop(lock);
        withdrawn
    }

    fn leave(&self) {
        if self.here.fetch_sub(1, Relaxed) == 1 {
            assert_eq!(self.withdrawn.load(Relaxed), 1, "so many have withdrawn");
        }
    }
}

#[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
fn world(n: usize, mistake: Mistake) -> Arc<World> {
    let node = |_| Node {
        end: AtomicPtr::new(ptr::null_mut()),
        gone: Plain::new(false),
        memory: UnsafeCell::new(()),
        wait: AtomicU32::new(AWAKE),
    };
    Arc::new(World {
        mistake,
        nodes: (0..n).map(node).collect(),
        walkers: (0..n).map(|_| AtomicUsize::new(0)).collect(),
        lock: Mutex::new(()),
        withdrawn: PlainCount::new(0),
        here: PlainCount::new(n),
    })
}

fn run(n: usize, mistake: Mistake) {
    let world = world(n, mistake);
    for i in 1..n {
        let world = world.clone();
        spawn(move || world.join(i));
    }
    world.join(0);
}

#[test]
fn of_two_that_join_each_other_one_withdraws() {
    check(None, || run(2, Mistake::None));
}

#[test]
fn of_three_one_withdraws() {
    check(Some(2), || run(3, Mistake::None));
}

#[test]
fn finds_walks_without_fences() {
    finds(Bug::None, "so many have withdrawn", || run(2, Mistake::WalkHasNoFence));
}

#[test]
fn finds_a_withdrawal_without_a_fence() {
    finds(Bug::None, "among the dead", || run(2, Mistake::WithdrawalHasNoFence));
}

#[test]
fn finds_walkers_that_are_not_waited_for() {
    finds(Bug::None, "Causality violation", || run(2, Mistake::WalkersForgotten));
}

#[test]
fn finds_that_two_withdraw() {
    finds(Bug::None, "among the dead", || run(2, Mistake::NoSecondWalk));
}

/// The first thread joins the second, is cancelled, and takes itself back, as `job::take_back`
/// does. Meanwhile the second one joins a third one, and looks who depends on it.
fn cancelled(mistake: Mistake) {
    let world = world(3, mistake);
    let joiner = {
        let world = world.clone();
        spawn(move || {
            let [me, joined, _] = &world.nodes[..] else { unreachable!("there are three") };
            let mine = ptr::from_ref(me).cast_mut();
            assert!(joined.end.compare_exchange(ptr::null_mut(), mine, AcqRel, Acquire).is_ok());
            let lock = world.lock.lock();
            assert!(joined.end.compare_exchange(mine, ptr::null_mut(), AcqRel, Acquire).is_ok());
            let walkers = &world.walkers[1..2];
            match world.mistake {
                Mistake::WalkersForgotten => {}
                Mistake::WithdrawalHasNoFence => {
                    without_fence(|| await_walkers(walkers.iter(), loom::thread::yield_now));
                }
                _ => await_walkers(walkers.iter(), loom::thread::yield_now),
            }
            drop(lock);
            me.gone.store(true, Relaxed);
            me.memory.with_mut(|_| {});
        })
    };
    let [_, me, next] = &world.nodes[..] else { unreachable!("there are three") };
    let mine = ptr::from_ref(me).cast_mut();
    assert!(next.end.compare_exchange(ptr::null_mut(), mine, AcqRel, Acquire).is_ok());
    // SAFETY: this is what the model is to find out.
    assert!(!unsafe { closes(me, next, &world.walkers[1]) });
    joiner.join();
}

#[test]
fn a_cancelled_joiner_waits_for_walkers() {
    check(None, || cancelled(Mistake::None));
}

#[test]
fn finds_a_cancelled_joiner_that_forgets_walkers() {
    finds(Bug::None, "", || cancelled(Mistake::WalkersForgotten));
}

#[test]
fn finds_a_cancelled_joiner_without_a_fence() {
    finds(Bug::None, "", || cancelled(Mistake::WithdrawalHasNoFence));
}
