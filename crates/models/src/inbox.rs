//! The inbox: two senders and one owner. Sleeping is modelled in `sleep_flag`.

use std::sync::{Arc, Mutex};

use loom::cell::UnsafeCell;

use crate::{
    atomic::{AtomicPtr, Bug},
    harness::{check, finds, spawn},
    library::inbox::{Inbox, Linked},
};

/// The number of the sender, and the number of its item.
type Label = (usize, usize);

#[derive(Debug)]
pub(crate) struct Item {
    link: AtomicPtr<Item>,
    label: UnsafeCell<Label>,
}

impl Linked for Item {
    fn link(&self) -> &AtomicPtr<Item> {
        &self.link
    }
}

/// Pushes a new item, and returns what `push` does.
pub(crate) fn push(inbox: &Inbox<Item>, label: Label) -> bool {
    let item = Box::new(Item { link: AtomicPtr::new(std::ptr::null_mut()), label: UnsafeCell::new((9, 9)) });
    // SAFETY: loom reports a race.
    item.label.with_mut(|place| unsafe { *place = label });
    // SAFETY: alive, in no list, and given away.
    unsafe { inbox.push(Box::into_raw(item)) }
}

/// Takes everything out.
pub(crate) fn take(inbox: &Inbox<Item>) -> Vec<Label> {
    inbox
        .take()
        .map(|item| {
            // SAFETY: `push` has leaked it, and the chain has handed it out.
            let item = unsafe { Box::from_raw(item) };
            // SAFETY: loom reports a race.
            item.label.with(|label| unsafe { *label })
        })
        .collect()
}

/// Two senders with `count` items each, and an owner that takes twice.
fn send(count: usize) {
    let inbox = Arc::new(Inbox::new());
    let firsts = Arc::new(Mutex::new(Vec::new()));
    let senders = [0, 1].map(|sender| {
        let (inbox, firsts) = (inbox.clone(), firsts.clone());
        spawn(move || {
            for number in 0..count {
                if push(&inbox, (sender, number)) {
                    firsts.lock().expect("the list").push((sender, number));
                }
            }
        })
    });
    let mut takes = vec![take(&inbox)];
    for sender in senders {
        sender.join();
    }
    takes.push(take(&inbox));
    assert!(inbox.is_empty());

    for sender in 0..2 {
        let got: Vec<_> =
            takes.iter().flatten().filter(|label| label.0 == sender).map(|label| label.1).collect();
        assert!(got.iter().copied().eq(0..count), "sent 0..{count}, got {got:?}");
    }
    // The sender that finds the inbox empty wakes the owner. For each batch that the owner takes
    // there must be exactly one.
    let mut firsts = firsts.lock().expect("the list").clone();
    let mut heads: Vec<_> = takes.iter().filter_map(|lot| lot.first().copied()).collect();
    firsts.sort();
    heads.sort();
    assert_eq!(firsts, heads);
}

#[test]
fn nothing_is_lost_or_turned_round() {
    check(Some(3), || send(2));
}

#[test]
fn finds_a_push_that_releases_nothing() {
    finds(Bug::NoRelease, "Causality violation", || send(1));
}

#[test]
fn finds_a_take_that_acquires_nothing() {
    finds(Bug::NoAcquire, "Causality violation", || send(1));
}

#[test]
fn finds_a_torn_push() {
    finds(Bug::TornExchange, "", || send(1));
}

#[test]
fn finds_a_torn_take() {
    finds(Bug::TornSwap, "", || send(1));
}
