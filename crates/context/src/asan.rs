//! Telling AddressSanitizer about switches, in builds with `--cfg greenthread_asan`; in all others nothing is done.
//!
//! It must know the bounds of the running stack, for one to take the marks off that frames have left behind over which a
//! panic has unwound. A switch tells it those of the stack that is entered, and the first thing there is to say that
//! it has been.

// Invariants:
// - AS1 Every switch is between a `leave` on the stack that is left and an `arrive` on the one that is entered. The first
//   entry to a stack arrives in `entry`, or in the coroutine's.
// - AS2 A stack is in STACKS from its registration or `init` on, to its end; what isn't there is the OS thread's own.

#[cfg(greenthread_asan)]
pub(crate) use on::*;

#[cfg(not(greenthread_asan))]
pub(crate) use off::*;

#[cfg(not(greenthread_asan))]
mod off {
    use crate::Context;

    /// What goes through a switch.
    pub(crate) struct Left;

    #[inline(always)]
    pub(crate) fn leave(_: Context) -> Left {
        Left
    }

    #[inline(always)]
    pub(crate) fn leave_for_good(_: Context) {}

    #[inline(always)]
    pub(crate) fn arrive(_: Left) {}

    #[inline(always)]
    pub(crate) fn arrive_first() {}

    #[inline(always)]
    pub(crate) fn arrive_later() {}
}

#[cfg(greenthread_asan)]
mod on {
    use core::{cell::Cell, ptr, ptr::NonNull};
    use std::{collections::BTreeMap, sync::Mutex, thread_local};

    use crate::Context;

    unsafe extern "C" {
        fn __sanitizer_start_switch_fiber(fake: *mut *mut u8, bottom: *const u8, size: usize);
        fn __sanitizer_finish_switch_fiber(fake: *mut u8, bottom: *mut *const u8, size: *mut usize);
        fn __asan_unpoison_memory_region(start: *const u8, size: usize);
    }

    type Entry = unsafe extern "C" fn(usize) -> !;

    struct Stack {
        limit: usize,
        /// What `init` was told to call.
        entry: Option<Entry>,
    }

    /// Below a stack that nobody has registered, so much is taken to be its.
    const UNKNOWN: usize = 16 << 10;

    /// By the addresses where they end.
    static STACKS: Mutex<BTreeMap<usize, Stack>> = Mutex::new(BTreeMap::new());

    thread_local! {
        /// The OS thread's own stack, known once it has been left: where it begins and how long it is.
        static HOME: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
    }

    /// What goes through a switch: ASan's own frames of the stack that was left.
    pub(crate) struct Left(*mut u8);

    pub(crate) fn register(limit: *const u8, top: *const u8) {
        let stack = Stack { limit: limit.addr(), entry: None };
        STACKS.lock().unwrap().insert(top.addr(), stack);
    }

    pub(crate) fn deregister(top: usize) {
        if let Some(stack) = STACKS.lock().unwrap().remove(&top) {
            unpoison(stack.limit, top - stack.limit);
        }
    }

    fn unpoison(start: usize, size: usize) {
        // SAFETY: it changes what ASan thinks of memory that is a stack's, and not in use.
        unsafe { __asan_unpoison_memory_region(ptr::without_provenance(start), size) };
    }

    /// The stack that has this address: where it begins and how long it is.
    fn stack_of(address: usize) -> Option<(usize, usize)> {
        let stacks = STACKS.lock().unwrap();
        let (&top, stack) = stacks.range(address + 1..).next()?;
        (stack.limit <= address).then_some((stack.limit, top - stack.limit))
    }

    fn bounds(context: Context) -> (usize, usize) {
        stack_of(context.as_ptr().addr().get()).unwrap_or_else(|| HOME.get())
    }

    #[inline(never)]
    pub(crate) fn leave(to: Context) -> Left {
        let (bottom, size) = bounds(to);
        let mut fake = ptr::null_mut();
        // SAFETY: AS1.
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
        // SAFETY: AS1; null says that this stack is done with.
        unsafe { __sanitizer_start_switch_fiber(ptr::null_mut(), ptr::without_provenance(bottom), size) };
    }

    #[inline(never)]
    pub(crate) fn arrive(left: Left) {
        let (mut bottom, mut size) = (ptr::null(), 0);
        // SAFETY: AS1.
        unsafe { __sanitizer_finish_switch_fiber(left.0, &mut bottom, &mut size) };
        if stack_of(bottom.addr()).is_none() {
            HOME.set((bottom.addr(), size));
        }
    }

    pub(crate) fn arrive_first() {
        arrive(Left(ptr::null_mut()));
    }

    /// After an `arrive_first` for what is done on top of a suspended context: that one arrives yet.
    pub(crate) fn arrive_later() {
        let here = 0_u8;
        let (bottom, size) = stack_of((&raw const here).addr()).unwrap_or_else(|| HOME.get());
        let mut fake = ptr::null_mut();
        // SAFETY: AS1.
        unsafe { __sanitizer_start_switch_fiber(&mut fake, ptr::without_provenance(bottom), size) };
    }

    /// For `init`: what it shall call in place of `entry`.
    pub(crate) fn init(top: NonNull<u8>, entry: Entry) -> Entry {
        let top = top.addr().get();
        let mut stacks = STACKS.lock().unwrap();
        // It may begin somewhat below the end of what was registered.
        let registered =
            stacks.range(top..).next().filter(|(_, stack)| stack.limit < top).map(|(&end, _)| end);
        let end = registered.unwrap_or(top);
        let stack = stacks.entry(end).or_insert(Stack { limit: top - UNKNOWN, entry: None });
        stack.entry = Some(entry);
        unpoison(stack.limit, end - stack.limit);
        arrived
    }

    unsafe extern "C" fn arrived(argument: usize) -> ! {
        arrive_first();
        let here = (&raw const argument).addr();
        let entry = STACKS.lock().unwrap().range(here + 1..).next().and_then(|(_, stack)| stack.entry);
        let entry = entry.expect("init has noted it");
        // SAFETY: what the caller of `init` has asked for.
        unsafe { entry(argument) }
    }
}
