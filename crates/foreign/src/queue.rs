//! Green threads that wait for something at an address: a futex, a mutex, a condition variable.
//!
//! It is the kernel's table of futexes once more. A waiter is on its thread's stack, in the bucket
//! of its address. Whoever changes what is waited for wakes waiters afterwards.
//!
//! Why no wake-up is lost: a waiter first counts itself, then looks whether it still has to wait; a
//! waker first changes what is looked at, then reads the count. Of the two fences in between, one
//! comes first.
//!
//! Invariants:
//! 1. A bucket's list, and the nodes in it, are touched under its lock only. A node is in the list
//!    until a waker has taken it out, or its thread has, before it goes.

use core::{
    ptr,
    sync::atomic::{
        AtomicU32,
        Ordering::{Relaxed, SeqCst},
        fence,
    },
};
use std::time::Instant;

use greenthread::os::linux::interpose::Wait;

use crate::{signal, spin::Spin};

/// How many buckets there are. With fewer, waiters of different addresses meet at a lock.
const BUCKETS: usize = 256;

struct Node {
    address: usize,
    mask: u32,
    wait: Wait,
    next: *mut Node,
    previous: *mut Node,
    is_queued: bool,
}

struct List {
    first: *mut Node,
    last: *mut Node,
}

// SAFETY: the nodes are touched under the bucket's lock only (invariant 1).
unsafe impl Send for List {}

struct Bucket {
    waiting: AtomicU32,
    list: Spin<List>,
}

static TABLE: [Bucket; BUCKETS] = [const {
    Bucket {
        waiting: AtomicU32::new(0),
        list: Spin::new(List { first: ptr::null_mut(), last: ptr::null_mut() }),
    }
}; BUCKETS];

/// How a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There was nothing to wait for.
    NoWait,
    Woken,
    TimedOut,
}

fn bucket(address: usize) -> &'static Bucket {
    let hash = (address as u64 >> 2).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    &TABLE[(hash >> 56) as usize]
}

impl List {
    /// # Safety
    /// The node is in no list, and stays where it is until it has been taken out.
    unsafe fn push(&mut self, node: *mut Node) {
        // SAFETY: the nodes of the list are alive (invariant 1).
        unsafe {
            (*node).previous = self.last;
            if self.last.is_null() {
                self.first = node
            } else {
                (*self.last).next = node
            }
            self.last = node;
            (*node).is_queued = true;
        }
    }

    /// # Safety
    /// The node is in the list.
    unsafe fn remove(&mut self, node: *mut Node) {
        // SAFETY: the nodes of the list are alive (invariant 1).
        unsafe {
            let (previous, next) = ((*node).previous, (*node).next);
            if previous.is_null() {
                self.first = next
            } else {
                (*previous).next = next
            }
            if next.is_null() {
                self.last = previous
            } else {
                (*next).previous = previous
            }
            (*node).is_queued = false;
        }
    }
}

/// In the child of a fork: the threads that waited are the parent's.
///
/// # Safety
/// The process has just been forked.
pub(crate) unsafe fn forked() {
    for bucket in &TABLE {
        bucket.waiting.store(0, Relaxed);
        // SAFETY: the caller vouches for that.
        unsafe { bucket.list.renew(List { first: ptr::null_mut(), last: ptr::null_mut() }) };
    }
}

/// Parks the calling green thread at an address, if `must_wait` says so. That is called once, when
/// the thread can be woken already. To be called by a thread that may park.
pub(crate) fn wait(
    address: usize,
    mask: u32,
    deadline: Option<Instant>,
    must_wait: impl FnOnce() -> bool,
) -> Outcome {
    wait_after(address, mask, deadline, must_wait, || {})
}

/// As `wait`. If the thread waits, it calls `release` first, when it can be woken already and no
/// bucket is locked.
pub(crate) fn wait_after(
    address: usize,
    mask: u32,
    deadline: Option<Instant>,
    must_wait: impl FnOnce() -> bool,
    release: impl FnOnce(),
) -> Outcome {
    let bucket = bucket(address);
    let (next, previous) = (ptr::null_mut(), ptr::null_mut());
    let mut node = Node { address, mask, wait: Wait::new(), next, previous, is_queued: false };
    let node = &raw mut node;
    {
        let mut list = bucket.list.lock();
        bucket.waiting.fetch_add(1, Relaxed);
        fence(SeqCst);
        if !must_wait() {
            bucket.waiting.fetch_sub(1, Relaxed);
            return Outcome::NoWait;
        }
        // SAFETY: the node stays in this frame, which is left when it has been taken out.
        unsafe { list.push(node) };
    }
    release();
    // SAFETY: the node is alive, and others only claim the wait.
    let is_woken = unsafe { &(*node).wait }.wait(deadline);
    if !is_woken {
        let mut list = bucket.list.lock();
        // SAFETY: the bucket is locked.
        unsafe {
            if (*node).is_queued {
                list.remove(node);
            }
        }
    }
    bucket.waiting.fetch_sub(1, Relaxed);
    if is_woken { Outcome::Woken } else { Outcome::TimedOut }
}

/// Wakes at most `most` of the green threads that wait at an address with one of these bits, the
/// first ones first, after what they wait for has changed. Returns how many.
#[inline]
pub(crate) fn wake(address: usize, most: u32, mask: u32) -> u32 {
    fence(SeqCst);
    let bucket = bucket(address);
    if bucket.waiting.load(Relaxed) == 0 { 0 } else { wake_some(bucket, address, most, mask) }
}

#[cold]
fn wake_some(bucket: &Bucket, address: usize, most: u32, mask: u32) -> u32 {
    if signal::is_in_handler() {
        return 0;
    }
    let mut list = bucket.list.lock();
    let (mut node, mut woken) = (list.first, 0);
    while !node.is_null() && woken < most {
        // SAFETY: the bucket is locked, so all nodes of the list are alive. A waiter that is
        // claimed here goes on afterwards, and one that has timed out takes the lock first.
        unsafe {
            let next = (*node).next;
            if (*node).address == address && (*node).mask & mask != 0 {
                list.remove(node);
                if Wait::wake(&raw const (*node).wait) {
                    woken += 1;
                }
            }
            node = next;
        }
    }
    woken
}
