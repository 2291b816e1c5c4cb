//! Reports of switches to ThreadSanitizer, in builds with `--cfg greenthread_tsan`.
//!
//! TSan keeps a clock and a call stack for each OS thread. It calls them a *fiber*, and can have
//! more of them than there are OS threads. Each context gets one. The side that leaves a stack
//! names the fiber of the stack that is entered.
//!
//! A switch orders what was done before it on its OS thread and what comes after. It says nothing
//! about other OS threads, so the table below must not either: TSan would take its lock for
//! synchronisation between workers, and miss their races.

// Invariants:
// - TS1 Nothing instrumented runs between `__tsan_switch_to_fiber` and the switch, since it would
//   be counted among the functions of the fiber that is entered. So `leave` is inlined, and calls
//   it last.
// - TS2 A stack has a fiber from the first switch to it until `leave_for_good`, or until its
//   deregistration. Only the OS thread on which the stack's context runs uses its fiber.

use core::{cell::Cell, ptr, ptr::NonNull};
use std::{collections::BTreeMap, thread_local};

use crate::context::Context;
use crate::table::{Table, at_forks};

unsafe extern "C" {
    fn __tsan_get_current_fiber() -> *mut u8;
    fn __tsan_create_fiber(flags: u32) -> *mut u8;
    fn __tsan_destroy_fiber(fiber: *mut u8);
    fn __tsan_switch_to_fiber(fiber: *mut u8, flags: u32);
    fn AnnotateIgnoreSyncBegin(file: *const u8, line: i32);
    fn AnnotateIgnoreSyncEnd(file: *const u8, line: i32);
    fn AnnotateIgnoreReadsBegin(file: *const u8, line: i32);
    fn AnnotateIgnoreReadsEnd(file: *const u8, line: i32);
    fn AnnotateIgnoreWritesBegin(file: *const u8, line: i32);
    fn AnnotateIgnoreWritesEnd(file: *const u8, line: i32);
}

struct Stack {
    limit: usize,
    /// 0 if there is none.
    fiber: usize,
}

/// Bytes below `top` that a stack is taken to have if nobody has registered it.
const UNKNOWN: usize = 16 << 10;

/// The stacks, by the addresses where they end.
static STACKS: Table<Stack> = Table::new();

thread_local! {
    /// The fiber of the OS thread's own stack.
    static HOME: Cell<usize> = const { Cell::new(0) };
}

/// The result of `leave`, for the `arrive` after the switch.
pub(crate) struct Left;

/// Uses the table of stacks without TSan's knowledge.
fn unseen<R>(f: impl FnOnce(&mut BTreeMap<usize, Stack>) -> R) -> R {
    let file = c"tsan.rs".as_ptr().cast();
    // SAFETY: these change only what TSan records of this thread, and each has its end below. `f`
    // doesn't panic.
    unsafe {
        AnnotateIgnoreSyncBegin(file, 0);
        AnnotateIgnoreReadsBegin(file, 0);
        AnnotateIgnoreWritesBegin(file, 0);
    }
    let result = STACKS.with(f);
    // SAFETY: as above.
    unsafe {
        AnnotateIgnoreWritesEnd(file, 0);
        AnnotateIgnoreReadsEnd(file, 0);
        AnnotateIgnoreSyncEnd(file, 0);
    }
    result
}

/// The stack that has this address.
fn find(stacks: &mut BTreeMap<usize, Stack>, address: usize) -> Option<&mut Stack> {
    let (_, stack) = stacks.range_mut(address + 1..).next()?;
    (stack.limit <= address).then_some(stack)
}

extern "C" fn lock() {
    STACKS.lock();
}

extern "C" fn unlock() {
    STACKS.unlock();
}

pub(crate) fn register(limit: *const u8, top: *const u8) {
    at_forks(lock, unlock);
    unseen(|stacks| stacks.insert(top.addr(), Stack { limit: limit.addr(), fiber: 0 }));
}

pub(crate) fn deregister(top: usize) {
    let stack = unseen(|stacks| stacks.remove(&top));
    if let Some(stack) = stack.filter(|stack| stack.fiber != 0) {
        // SAFETY: TS2: no context of this stack is resumed any more.
        unsafe { __tsan_destroy_fiber(ptr::without_provenance_mut(stack.fiber)) };
    }
}

/// The fiber to enter for `to`. With `for_good`, also the fiber of the running stack, which it
/// loses.
#[inline(never)]
fn fibers(to: Context, for_good: bool) -> (*mut u8, *mut u8) {
    let to = to.as_ptr().addr().get();
    let here = (&raw const to).addr();
    unseen(|stacks| {
        let mut old = 0;
        match find(stacks, here) {
            Some(stack) if for_good => old = core::mem::take(&mut stack.fiber),
            Some(_) => {}
            // SAFETY: TSan only tells.
            None => HOME.set(unsafe { __tsan_get_current_fiber() }.addr()),
        }
        let fiber = match find(stacks, to) {
            None => HOME.get(),
            Some(stack) => {
                if stack.fiber == 0 {
                    // SAFETY: TSan only allocates.
                    stack.fiber = unsafe { __tsan_create_fiber(0) }.addr();
                }
                stack.fiber
            }
        };
        (ptr::without_provenance_mut(fiber), ptr::without_provenance_mut(old))
    })
}

#[inline(always)]
pub(crate) fn leave(to: Context) -> Left {
    let (fiber, _) = fibers(to, false);
    // SAFETY: TS1, and TS2: the fiber is that of `to`, to which the caller switches next. 0 lets
    // the switch order both sides, which run on one OS thread.
    unsafe { __tsan_switch_to_fiber(fiber, 0) };
    Left
}

#[inline(always)]
pub(crate) fn leave_for_good(to: Context) {
    let (fiber, old) = fibers(to, true);
    // SAFETY: TS1, TS2; nothing runs in the old fiber any more.
    unsafe {
        __tsan_switch_to_fiber(fiber, 0);
        if !old.is_null() {
            __tsan_destroy_fiber(old);
        }
    }
}

#[inline(always)]
pub(crate) fn arrive(_: Left) {}

#[inline(always)]
pub(crate) fn arrive_first() {}

/// Notes a context that is made on the stack with this top.
pub(crate) fn init(top: NonNull<u8>) {
    let top = top.addr().get();
    at_forks(lock, unlock);
    unseen(|stacks| {
        let registered = stacks.range(top..).next().is_some_and(|(_, stack)| stack.limit < top);
        if !registered {
            stacks.insert(top, Stack { limit: top - UNKNOWN, fiber: 0 });
        }
    });
}
