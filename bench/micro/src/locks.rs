//! Locks.

use std::sync::Arc;

use greenthread::{
    sync::{Condvar, Mutex, RwLock, Semaphore},
    thread::{spawn, yield_now},
};

use crate::{Meter, background::Background};

pub(crate) fn mutex(meter: impl Meter) {
    let sum = Mutex::new(0usize);
    meter.measure(1, || *sum.lock().expect("no panic") += 1);
}

pub(crate) fn mutex_held(meter: impl Meter) {
    let sum = Arc::new(Mutex::new(0usize));
    let add = move || {
        let mut sum = sum.lock().expect("no panic");
        yield_now();
        *sum += 1;
    };
    let _other = Background::of(1, add.clone());
    meter.measure(2, add);
}

pub(crate) fn read(meter: impl Meter) {
    let value = RwLock::new(7usize);
    meter.measure(1, || assert_eq!(*value.read().expect("no panic"), 7));
}

pub(crate) fn write(meter: impl Meter) {
    let sum = RwLock::new(0usize);
    meter.measure(1, || *sum.write().expect("no panic") += 1);
}

/// The thread whose turn it is, or the end.
#[derive(Clone, Copy, PartialEq)]
enum Turn {
    Ours,
    Theirs,
    Over,
}

pub(crate) fn condvar(meter: impl Meter) {
    let shared = Arc::new((Mutex::new(Turn::Ours), Condvar::new()));
    let pass = |shared: &(Mutex<Turn>, Condvar), to: Turn, wait_for: Turn| {
        let (turn, changed) = shared;
        let mut turn = turn.lock().expect("no panic");
        if *turn == Turn::Over {
            return false;
        }
        *turn = to;
        changed.notify_one();
        let turn = changed.wait_while(turn, |turn| *turn != wait_for && *turn != Turn::Over);
        *turn.expect("no panic") != Turn::Over
    };
    let other = spawn({
        let shared = shared.clone();
        move || while pass(&shared, Turn::Ours, Turn::Theirs) {}
    });
    meter.measure(2, || assert!(pass(&shared, Turn::Theirs, Turn::Ours)));
    *shared.0.lock().expect("no panic") = Turn::Over;
    shared.1.notify_all();
    other.join().expect("no panic");
}

pub(crate) fn semaphore(meter: impl Meter) {
    let semaphore = Semaphore::new(1);
    meter.measure(1, || drop(semaphore.acquire()));
}
