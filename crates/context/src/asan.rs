//! Reports of switches to AddressSanitizer, in builds with `--cfg greenthread_asan`.
//!
//! ASan must know the bounds of the running stack. It needs them, for one, to remove the marks of
//! frames that a panic has unwound. The side that leaves a stack announces the bounds of the stack
//! that is entered (`leave`). The side that has entered it first reports that it has (`arrive`).

// Invariants:
// - AS1 Every switch lies between a `leave` on the stack that is left and an `arrive` on the stack
//   that is entered. The first entry to a stack arrives in `arrived`, or in a coroutine's `entry`.
// - AS2 A stack is in STACKS from its registration or its `init` on, to its deregistration. An
//   address in none of them belongs to the OS thread's own stack.

use core::{cell::Cell, ptr, ptr::NonNull};
use std::thread_local;

use crate::context::Context;
use crate::table::{Table, at_forks};

unsafe extern "C" {
    fn __sanitizer_start_switch_fiber(fake: *mut *mut u8, bottom: *const u8, size: usize);
    fn __sanitizer_finish_switch_fiber(fake: *mut u8, bottom: *mut *const u8, size: *mut usize);
    fn __asan_unpoison_memory_region(start: *const u8, size: usize);
}

type Entry = unsafe extern "C" fn(usize) -> !;

struct Stack {
    limit: usize,
    /// The function that the caller of `init` wants to be called.
    entry: Option<Entry>,
}

/// Bytes below `top` that a stack is taken to have if nobody has registered it. ASan misses
/// marks on the rest of a larger stack, and clears marks of other memory below a smaller one.
const UNKNOWN: usize = 16 << 10;

/// The stacks, by the addresses where they end.
static STACKS: Table<Stack> = Table::new();

thread_local! {
    /// The start and the size of the OS thread's own stack. ASan tells them at the first switch
    /// away from it.
    static HOME: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// The result of `leave`, for the `arrive` after the switch: ASan's own frames of the stack
/// that was left.
pub(crate) struct Left(*mut u8);

extern "C" fn lock() {
    STACKS.lock();
}

extern "C" fn unlock() {
    STACKS.unlock();
}

pub(crate) fn register(limit: *const u8, top: *const u8) {
    at_forks(lock, unlock);
    let stack = Stack { limit: limit.addr(), entry: None };
    STACKS.with(|stacks| stacks.insert(top.addr(), stack));
}

pub(crate) fn deregister(top: usize) {
    if let Some(stack) = STACKS.with(|stacks| stacks.remove(&top)) {
        unpoison(stack.limit, top - stack.limit);
    }
}

fn unpoison(start: usize, size: usize) {
    // SAFETY: it changes only ASan's marks, of a stack's memory that is not in use.
    unsafe { __asan_unpoison_memory_region(ptr::without_provenance(start), size) };
}

/// The start and the size of the registered stack that has this address.
fn stack_of(address: usize) -> Option<(usize, usize)> {
    STACKS.with(|stacks| {
        let (&top, stack) = stacks.range(address + 1..).next()?;
        (stack.limit <= address).then_some((stack.limit, top - stack.limit))
    })
}

fn bounds(context: Context) -> (usize, usize) {
    stack_of(context.as_ptr().addr().get()).unwrap_or_else(|| HOME.get())
}

#[inline(never)]
pub(crate) fn leave(to: Context) -> Left {
    let (bottom, size) = bounds(to);
    let mut fake = ptr::null_mut();
    // SAFETY: AS1: the caller switches to `to` next.
    unsafe { __sanitizer_start_switch_fiber(&mut fake, ptr::without_provenance(bottom), size) };
    Left(fake)
}

#[inline(never)]
pub(crate) fn leave_for_good(to: Context) {
    let here = 0_u8;
    if let Some((bottom, size)) = stack_of((&raw const here).addr()) {
        unpoison(bottom, size);
    }
    let (bottom, size) = bounds(to);
    // SAFETY: AS1; null tells ASan that this stack is never entered again.
    unsafe { __sanitizer_start_switch_fiber(ptr::null_mut(), ptr::without_provenance(bottom), size) };
}

#[inline(never)]
pub(crate) fn arrive(left: Left) {
    let (mut bottom, mut size) = (ptr::null(), 0);
    // SAFETY: AS1: this stack was just entered, and `left` is what its last `leave` gave.
    unsafe { __sanitizer_finish_switch_fiber(left.0, &mut bottom, &mut size) };
    if stack_of(bottom.addr()).is_none() {
        HOME.set((bottom.addr(), size));
    }
}

pub(crate) fn arrive_first() {
    arrive(Left(ptr::null_mut()));
}

/// Notes a context that is made on the stack with this top. Returns the function that the
/// context calls in place of `entry`.
pub(crate) fn init(top: NonNull<u8>, entry: Entry) -> Entry {
    let top = top.addr().get();
    at_forks(lock, unlock);
    STACKS.with(|stacks| {
        // The context may begin somewhat below the end of the registered stack.
        let registered =
            stacks.range(top..).next().filter(|(_, stack)| stack.limit < top).map(|(&end, _)| end);
        let end = registered.unwrap_or(top);
        let stack = stacks.entry(end).or_insert(Stack { limit: top - UNKNOWN, entry: None });
        stack.entry = Some(entry);
        unpoison(stack.limit, end - stack.limit);
    });
    arrived
}

unsafe extern "C" fn arrived(argument: usize) -> ! {
    arrive_first();
    let here = (&raw const argument).addr();
    let entry = STACKS.with(|stacks| stacks.range(here + 1..).next().and_then(|(_, stack)| stack.entry));
    let entry = entry.expect("init has noted it");
    // SAFETY: the caller of `init` wants `entry` to be called with the argument of the first
    // switch.
    unsafe { entry(argument) }
}
