//! What only Windows has: the words of the thread's information block, and stacks that grow by a
//! guard page.

#![cfg(windows)]

mod common;

use std::arch::asm;
use std::ffi::c_void;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use common::Green;
use greenthread_context::{Context, Coroutine, MmapStack, Stack, StackBounds, init, switch};

#[link(name = "kernel32")]
unsafe extern "system" {
    fn VirtualAlloc(address: *mut c_void, size: usize, kind: u32, protection: u32) -> *mut c_void;
    fn SetThreadStackGuarantee(bytes: *mut u32) -> i32;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Teb {
    exceptions: usize,
    base: usize,
    limit: usize,
    deallocation: usize,
    guaranteed: usize,
}

/// A word of the thread's information block, by its offset on x86-64 and on x86.
macro_rules! word {
    ($x86_64:literal, $x86:literal) => {{
        let word: usize;
        // SAFETY: reads a word of the block.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            asm!(concat!("mov {}, gs:[", $x86_64, "]"), out(reg) word, options(nostack, readonly, preserves_flags));
            #[cfg(target_arch = "x86")]
            asm!(concat!("mov {}, fs:[", $x86, "]"), out(reg) word, options(nostack, readonly, preserves_flags));
        }
        word
    }};
}

#[inline(never)]
fn teb() -> Teb {
    Teb {
        exceptions: word!("0x00", "0x00"),
        base: word!("0x08", "0x04"),
        limit: word!("0x10", "0x08"),
        deallocation: word!("0x1478", "0xe0c"),
        guaranteed: word!("0x1748", "0xf78"),
    }
}

#[test]
fn the_block_tells_of_the_running_stack() {
    let here = 0_u8;
    let home = teb();
    assert!((home.limit..home.base).contains(&(&raw const here).addr()));
    let stack = MmapStack::new(64 * 1024).unwrap();
    let (top, limit) = (stack.top().addr().get(), stack.limit().addr().get());
    let own = Teb { exceptions: usize::MAX, base: top, limit, deallocation: limit, guaranteed: 0 };
    let mut co = Coroutine::with_stack(stack, move |co, ()| {
        for _ in 0..3 {
            assert_eq!(teb(), own);
            co.suspend(());
        }
        assert_eq!(teb(), own);
    });
    while !co.is_finished() {
        let _ = co.resume(());
        assert_eq!(teb(), home);
    }
    // By `init` as well.
    let mut green = Green::new(|here, _| {
        let (first, local) = (teb(), 0_u8);
        assert!((first.limit..first.base).contains(&(&raw const local).addr()));
        here.suspend(0);
        assert_eq!(teb(), first);
        0
    });
    green.resume(0);
    assert_eq!(teb(), home);
    green.resume(0);
    assert_eq!(teb(), home);
}

#[test]
fn what_a_context_changes_in_the_block_is_its_own() {
    let home = teb();
    let mut green = Green::new(|here, _| {
        let mut bytes = 16 << 10;
        // SAFETY: `bytes` is valid.
        assert_ne!(unsafe { SetThreadStackGuarantee(&mut bytes) }, 0);
        let guaranteed = teb().guaranteed;
        assert_ne!(guaranteed, 0);
        here.suspend(0);
        assert_eq!(teb().guaranteed, guaranteed);
        0
    });
    green.resume(0);
    assert_eq!(teb(), home);
    let mut other = Green::new(|_, _| teb().guaranteed);
    assert_eq!(other.resume(0), 0);
    green.resume(0);
    assert_eq!(teb(), home);
}

/// A stack of which Windows commits the pages as they are touched, like those of its own threads.
struct Growing {
    base: NonNull<u8>,
}

impl Growing {
    const SIZE: usize = 1 << 20;
    const COMMITTED: usize = 16 << 10;
    const PAGE: usize = 4096;

    fn new() -> Growing {
        const MEM_COMMIT: u32 = 0x1000;
        const MEM_RESERVE: u32 = 0x2000;
        const PAGE_READWRITE: u32 = 4;
        const PAGE_GUARD: u32 = 0x100;
        // SAFETY: the addresses are new, and are never given back.
        unsafe {
            let base = VirtualAlloc(ptr::null_mut(), Self::SIZE, MEM_RESERVE, PAGE_READWRITE);
            let committed = base.byte_add(Self::SIZE - Self::COMMITTED);
            assert!(!VirtualAlloc(committed, Self::COMMITTED, MEM_COMMIT, PAGE_READWRITE).is_null());
            let guard = committed.byte_sub(Self::PAGE);
            assert!(!VirtualAlloc(guard, Self::PAGE, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD).is_null());
            Growing { base: NonNull::new(base.cast()).unwrap() }
        }
    }

    fn bounds(&self) -> StackBounds {
        // SAFETY: both addresses are within the reservation, or one past it.
        let (committed, top) =
            unsafe { (self.base.add(Self::SIZE - Self::COMMITTED), self.base.add(Self::SIZE)) };
        StackBounds::new(self.base, top).committed_from(committed)
    }
}

#[test]
fn a_stack_grows_by_its_guard_page() {
    static mut MAIN: MaybeUninit<Context> = MaybeUninit::uninit();
    static mut GREEN: MaybeUninit<Context> = MaybeUninit::uninit();

    #[inline(never)]
    fn down(depth: usize) -> usize {
        let page = black_box([depth as u8; 4000]);
        if depth % 20 == 0 {
            // A panic's frames lie below what was committed at first.
            assert!(std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(depth))).is_err());
            // SAFETY: MAIN is saved while this context runs.
            unsafe { switch((&raw mut GREEN).cast(), MAIN.assume_init(), teb().limit) };
        }
        if depth > 0 { down(depth - 1) + page[7] as usize } else { 0 }
    }
    unsafe extern "C" fn entry(_: usize) -> ! {
        loop {
            down(100);
        }
    }
    let (home, stack) = (teb(), Growing::new());
    // SAFETY: the stack is never given back, and each context is saved before it is resumed.
    unsafe {
        let mut last = switch((&raw mut MAIN).cast(), init(stack.bounds(), entry), 0);
        for _ in 0..5 {
            let limit = switch((&raw mut MAIN).cast(), GREEN.assume_init(), 0);
            assert!(limit < last, "the stack has grown: {limit:x}, {last:x}");
            assert_eq!(teb(), home);
            last = limit;
        }
        // The second time, the stack is as large as it has become.
        assert_eq!(switch((&raw mut MAIN).cast(), GREEN.assume_init(), 0), last);
        assert_eq!(teb(), home);
    }
}
