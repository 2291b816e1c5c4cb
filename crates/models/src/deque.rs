//! The deque: its owner and thieves, who compete for the last thread.

use std::{
    ptr::NonNull,
    sync::{Arc, Mutex},
};

use loom::cell::UnsafeCell;

use crate::{
    atomic::{Bug, without_fence},
    harness::{check, finds, spawn},
    library::deque::{Deque, Stolen},
};

type Queue = Deque<UnsafeCell<usize>, 2>;

struct Shared(Queue);

// SAFETY: items go from hand to hand, and loom reports a race.
unsafe impl Send for Shared {}
// SAFETY: as above; only one thread of each model is the owner.
unsafe impl Sync for Shared {}

fn push(queue: &Queue, number: usize) -> bool {
    let item = NonNull::from(Box::leak(Box::new(UnsafeCell::new(9))));
    // SAFETY: ours; loom reports a race.
    unsafe { item.as_ref() }.with_mut(|place| unsafe { *place = number });
    // SAFETY: called by the owner, and given away.
    let pushed = unsafe { queue.push(item, |_| {}) };
    if !pushed {
        open(item);
    }
    pushed
}

/// Pushes an item, and returns the hint by which the owner can take it out of the middle.
fn push_with_hint(queue: &Deque<UnsafeCell<usize>, 4>, number: usize) -> (NonNull<UnsafeCell<usize>>, usize) {
    let item = NonNull::from(Box::leak(Box::new(UnsafeCell::new(number))));
    let mut place = 0;
    // SAFETY: called by the owner, and given away.
    assert!(unsafe { queue.push(item, |told| place = told) });
    (item, place)
}

fn open(item: NonNull<UnsafeCell<usize>>) -> usize {
    // SAFETY: leaked by `push`, and taken out once: otherwise the models find a number twice.
    unsafe { item.as_ref() }.with(|number| unsafe { *number })
}

fn steal(queue: &Queue) -> Option<usize> {
    loop {
        match queue.steal() {
            Stolen::Item(item) => return Some(open(item)),
            Stolen::Nothing => return None,
            Stolen::Again => {}
        }
    }
}

fn shift(queue: &Queue, count: usize, got: &mut Vec<usize>) {
    // SAFETY: called by the owner.
    got.extend(unsafe { queue.shift(count) }.map(open));
}

/// The owner pushes `before` items, then up to `count` while the thieves steal, and pops two. Each
/// thief tries `tries` times. In the end the owner pops the rest.
fn share(thieves: usize, tries: usize, before: usize, count: usize, fenced: bool) {
    let queue = Arc::new(Shared(Queue::new(false)));
    let mut pushed: Vec<usize> = (0..before).filter(|&number| push(&queue.0, number)).collect();
    let thieves: Vec<_> = (0..thieves)
        .map(|_| {
            let (queue, got) = (queue.clone(), Arc::new(Mutex::new(Vec::new())));
            let told = got.clone();
            let thief = spawn(move || {
                let loot = (0..tries).filter_map(|_| steal(&queue.0)).collect();
                *told.lock().expect("no panic") = loot;
            });
            (thief, got)
        })
        .collect();
    pushed.extend((before..count).filter(|&number| push(&queue.0, number)));
    // SAFETY: we are the owner.
    let pop = || unsafe { queue.0.pop() }.map(open);
    let mut got: Vec<_> = (0..2).filter_map(|_| if fenced { pop() } else { without_fence(pop) }).collect();
    for (thief, stolen) in thieves {
        thief.join();
        got.append(&mut stolen.lock().expect("no panic"));
    }
    got.extend(std::iter::from_fn(pop));
    got.sort_unstable();
    assert_eq!(got, pushed, "each once");
    assert!(queue.0.is_empty());
}

#[test]
fn each_is_taken_once() {
    check(Some(3), || share(1, 2, 2, 2, true));
    check(Some(2), || share(2, 1, 2, 2, true));
}

#[test]
fn a_slot_is_used_again() {
    check(Some(3), || share(1, 2, 2, 3, true));
}

/// The owner takes items from the thieves' end, pushes more, and pops one from its own end.
fn take_from_both_ends(tries: usize, count: usize) {
    let queue = Arc::new(Shared(Queue::new(false)));
    let mut pushed: Vec<usize> = (0..2).filter(|&number| push(&queue.0, number)).collect();
    let (other, stolen) = (queue.clone(), Arc::new(Mutex::new(Vec::new())));
    let told = stolen.clone();
    let thief = spawn(move || {
        let loot = (0..tries).filter_map(|_| steal(&other.0)).collect();
        *told.lock().expect("no panic") = loot;
    });
    let mut got = Vec::new();
    shift(&queue.0, count, &mut got);
    pushed.extend((2..4).filter(|&number| push(&queue.0, number)));
    // SAFETY: we are the owner.
    got.extend(unsafe { queue.0.pop() }.map(open));
    thief.join();
    got.append(&mut stolen.lock().expect("no panic"));
    shift(&queue.0, usize::MAX, &mut got);
    got.sort_unstable();
    assert_eq!(got, pushed, "each once");
    assert!(queue.0.is_empty());
}

#[test]
fn the_owner_takes_several_at_once() {
    for count in [1, 2] {
        check(Some(3), move || take_from_both_ends(2, count));
    }
}

#[test]
fn an_owner_alone_needs_no_fence() {
    check(None, || {
        let queue = Queue::new(true);
        assert!((0..2).all(|number| push(&queue, number)) && !push(&queue, 2));
        // SAFETY: nobody else has it.
        assert_eq!(without_fence(|| unsafe { queue.pop() }).map(open), Some(1));
        assert!(push(&queue, 3));
        let mut got = Vec::new();
        shift(&queue, 1, &mut got);
        // SAFETY: as above.
        got.extend(std::iter::from_fn(|| unsafe { queue.pop() }.map(open)));
        assert_eq!(got, [0, 3]);
    });
}

struct Wide(Deque<UnsafeCell<usize>, 4>);

// SAFETY: as for `Shared`.
unsafe impl Send for Wide {}
// SAFETY: as for `Shared`.
unsafe impl Sync for Wide {}

/// Of `count` items the owner takes the `wanted` ones while a thief steals. Then it pushes one
/// more, and pops what is left.
fn take_from_the_middle(tries: usize, count: usize, wanted: &[usize], fenced: bool) {
    let queue = Arc::new(Wide(Deque::new(false)));
    let items: Vec<_> = (0..count).map(|number| push_with_hint(&queue.0, number)).collect();
    let (other, stolen) = (queue.clone(), Arc::new(Mutex::new(Vec::new())));
    let told = stolen.clone();
    let thief = spawn(move || {
        let loot = (0..tries).filter_map(|_| match other.0.steal() {
            Stolen::Item(item) => Some(open(item)),
            _ => None,
        });
        *told.lock().expect("no panic") = loot.collect();
    });
    // SAFETY: we are the owner; whatever has become of the item, it is not freed.
    let take = |(item, place)| unsafe { queue.0.take(item, place) };
    let take = |noted| if fenced { take(noted) } else { without_fence(|| take(noted)) };
    let mut got: Vec<_> = wanted.iter().filter(|&&n| take(items[n])).map(|&n| open(items[n].0)).collect();
    push_with_hint(&queue.0, count);
    // SAFETY: we are the owner.
    let pop = || unsafe { queue.0.pop() }.map(open);
    got.extend(pop());
    thief.join();
    got.append(&mut stolen.lock().expect("no panic"));
    got.extend(std::iter::from_fn(pop));
    got.sort_unstable();
    assert!(got.iter().copied().eq(0..=count), "each once: {got:?}");
    assert!(queue.0.is_empty());
}

#[test]
fn the_owner_takes_one_out_of_the_middle() {
    for wanted in [&[0][..], &[1], &[1, 2], &[1, 0], &[0, 1, 2]] {
        check(Some(3), move || take_from_the_middle(2, 3, wanted, true));
    }
}

#[test]
fn what_was_put_in_again_is_not_taken_twice() {
    check(None, || {
        let queue = Deque::<_, 4>::new(true);
        let (first, place) = push_with_hint(&queue, 0);
        let (second, _) = push_with_hint(&queue, 1);
        // SAFETY: nobody else has it.
        unsafe {
            assert!(queue.take(first, place) && !queue.take(first, place), "out of the middle, once");
            assert_eq!(queue.pop(), Some(second));
            assert!(!queue.take(second, 1) && queue.is_empty(), "popped; and with it what was gone below");
        }
        open(first);
        open(second);
    });
}

#[test]
fn finds_a_take_without_a_fence() {
    finds(Bug::None, "each once", || take_from_the_middle(2, 3, &[1], false));
}

#[test]
fn finds_a_torn_take() {
    finds(Bug::TornExchange, "each once", || take_from_the_middle(1, 2, &[0], true));
}

#[test]
fn finds_a_torn_shift() {
    finds(Bug::TornExchange, "each once", || take_from_both_ends(2, 2));
}

#[test]
fn finds_a_missing_fence() {
    finds(Bug::None, "each once", || share(1, 2, 2, 2, false));
}

#[test]
fn finds_a_push_that_releases_nothing() {
    // The thief gets an item that is not there, or not yet written.
    finds(Bug::NoRelease, "", || share(1, 1, 0, 1, true));
}

#[test]
fn finds_a_torn_steal() {
    finds(Bug::TornExchange, "each once", || share(2, 1, 2, 2, true));
}
