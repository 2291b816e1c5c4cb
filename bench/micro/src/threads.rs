//! Threads: taking turns, coming and going.

use std::{cell::Cell, hint::black_box};

use greenthread::thread::{self, JoinHandle, spawn, yield_now};

use crate::{Meter, background::Background};

/// A round is one turn of each thread.
pub(crate) fn yields(meter: impl Meter, threads: usize) {
    let _others = Background::of(threads - 1, yield_now);
    meter.measure(threads, yield_now);
}

pub(crate) fn park(meter: impl Meter) {
    let main = thread::current();
    let other = Background::of(1, move || {
        main.unpark();
        thread::park();
    });
    meter.measure(2, || {
        other.first().unpark();
        thread::park();
    });
    // The other thread may be about to park once more.
    other.first().unpark();
}

pub(crate) fn spawn_join(meter: impl Meter) {
    meter.measure(1, || {
        assert_eq!(spawn(|| 7).join().expect("no panic"), 7);
    });
}

pub(crate) fn spawn_all(meter: impl Meter) {
    const THREADS: usize = 1000;
    let mut threads: Vec<JoinHandle<usize>> = Vec::with_capacity(THREADS);
    meter.measure(THREADS, || {
        threads.extend((0..THREADS).map(|i| spawn(move || i)));
        let sum: usize = threads.drain(..).map(|thread| thread.join().expect("no panic")).sum();
        assert_eq!(sum, THREADS * (THREADS - 1) / 2);
    });
}

pub(crate) fn scope(meter: impl Meter) {
    let mut parts = [0usize; 10];
    meter.measure(parts.len(), || {
        thread::scope(|scope| {
            for part in &mut parts {
                scope.spawn(|| *part += 1);
            }
        });
    });
}

pub(crate) fn tree(meter: impl Meter) {
    fn node(depth: usize) -> usize {
        if depth == 0 {
            return 1;
        }
        let children = [(); 2].map(|()| spawn(move || node(depth - 1)));
        1 + children.into_iter().map(|child| child.join().expect("no panic")).sum::<usize>()
    }
    const DEPTH: usize = 10;
    let nodes = (2 << DEPTH) - 1;
    meter.measure(nodes, || assert_eq!(node(DEPTH), nodes));
}

pub(crate) fn current(meter: impl Meter) {
    meter.measure(1, || {
        black_box(thread::current().id());
    });
}

pub(crate) fn thread_local(meter: impl Meter) {
    greenthread::thread_local! {
        static COUNT: Cell<usize> = const { Cell::new(0) };
    }
    meter.measure(1, || COUNT.with(|count| count.set(count.get() + 1)));
}
