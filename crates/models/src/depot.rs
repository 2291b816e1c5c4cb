//! Workers that put lists into the depot and take some out. One of them ends intervals and frees
//! the surplus.

use std::sync::{Arc, Mutex};

use loom::cell::UnsafeCell;

use crate::{
    atomic::Bug,
    harness::{check, finds, spawn},
    library::depot::Depot,
};

/// A list's memory. Its owner writes to it, so that loom sees a second owner.
struct List(UnsafeCell<usize>);

impl List {
    fn new(name: usize) -> Box<Self> {
        let list = Box::new(Self(UnsafeCell::new(0)));
        list.write(name);
        list
    }

    fn write(&self, name: usize) {
        // SAFETY: loom reports a race.
        self.0.with_mut(|place| unsafe { *place = name });
    }

    fn read(&self) -> usize {
        // SAFETY: loom reports a race.
        self.0.with(|place| unsafe { *place })
    }
}

/// Puts one list in, and takes one out if there is any. The names of the lists that are taken go to
/// `got`.
fn work(depot: &Depot<Box<List>>, name: usize, got: &Mutex<Vec<usize>>) {
    assert!(depot.give(List::new(name)).is_ok());
    if let Some(list) = depot.take() {
        got.lock().expect("the names").push(list.read());
        list.write(9);
    }
}

fn exchange() {
    let (depot, got) = (Arc::new(Depot::new()), Arc::new(Mutex::new(Vec::new())));
    assert!(depot.give(List::new(0)).is_ok());
    depot.end_interval();
    let workers = [1, 2].map(|name| {
        let (depot, got) = (depot.clone(), got.clone());
        spawn(move || work(&depot, name, &got))
    });
    depot.end_interval();
    if let Some(list) = depot.take_surplus() {
        got.lock().expect("the names").push(list.read());
        list.write(9);
    }
    workers.into_iter().for_each(|worker| worker.join());
    let mut got = std::mem::take(&mut *got.lock().expect("the names"));
    // A surplus list can still be taken.
    assert!(depot.give(List::new(3)).is_ok());
    depot.end_interval();
    depot.end_interval();
    while let Some(list) = depot.take() {
        got.push(list.read());
    }
    got.sort_unstable();
    assert_eq!(got, [0, 1, 2, 3]);
    assert!(!depot.has_surplus(), "more than there is");
}

#[test]
fn each_list_has_one_owner() {
    check(Some(3), exchange);
}

#[test]
fn finds_a_lock_that_releases_nothing() {
    finds(Bug::NoRelease, "Causality violation", exchange);
}

#[test]
fn finds_a_lock_that_acquires_nothing() {
    finds(Bug::NoAcquire, "Causality violation", exchange);
}

#[test]
fn finds_a_lock_that_lets_two_in() {
    finds(Bug::TornSwap, "", exchange);
}
