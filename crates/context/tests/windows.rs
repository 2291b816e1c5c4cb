//! What only Windows has: the words of the thread's information block, walks by its own functions,
//! stacks that grow by a guard page.

#![cfg(all(windows, target_arch = "x86_64"))]

mod common;

use std::ffi::c_void;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use common::trash::{trash_and_suspend, zero};
use common::{Green, Here};
use greenthread_context::{Context, Coroutine, MmapStack, Stack, StackBounds, init, switch};

#[link(name = "kernel32")]
unsafe extern "system" {
    fn VirtualAlloc(address: *mut c_void, size: usize, kind: u32, protection: u32) -> *mut c_void;
    fn SetThreadStackGuarantee(bytes: *mut u32) -> i32;
    fn RtlCaptureContext(record: *mut Record);
    fn RtlLookupFunctionEntry(rip: usize, base: *mut usize, history: *mut c_void) -> *const Function;
    fn RtlVirtualUnwind(
        kind: u32,
        base: usize,
        rip: usize,
        function: *const Function,
        record: *mut Record,
        handler: *mut *mut c_void,
        frame: *mut usize,
        pointers: *mut c_void,
    ) -> *mut c_void;
}

/// RUNTIME_FUNCTION.
#[repr(C)]
struct Function {
    begin: u32,
    end: u32,
    codes: u32,
}

/// CONTEXT: the fields up to rip, and the rest.
#[repr(C, align(16))]
struct Record {
    homes: [usize; 6],
    flags: [u32; 2],
    segments: [u16; 6],
    eflags: u32,
    debug: [usize; 6],
    /// rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15, rip.
    integers: [usize; 17],
    others: [u8; 976],
}

const RSP: usize = 4;
const RIP: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Teb {
    exceptions: usize,
    base: usize,
    limit: usize,
    deallocation: usize,
    guaranteed: usize,
}

#[inline(never)]
fn teb() -> Teb {
    let (exceptions, base, limit, deallocation, guaranteed);
    // SAFETY: reads words of the thread's information block.
    unsafe {
        std::arch::asm!(
            "mov {}, gs:[0x00]",
            "mov {}, gs:[0x08]",
            "mov {}, gs:[0x10]",
            "mov {}, gs:[0x1478]",
            "mov {}, gs:[0x1748]",
            out(reg) exceptions, out(reg) base, out(reg) limit, out(reg) deallocation, out(reg) guaranteed,
            options(nostack, readonly, preserves_flags),
        );
    }
    Teb { exceptions, base, limit, deallocation, guaranteed }
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

/// The whole of xmm6 to xmm15 is filled with ones before the switch, with zeros by the resumer, and
/// compared after the switch.
#[test]
fn vector_registers_are_kept_whole() {
    let mut green = Green::new(|here, _| {
        for _ in 0..3 {
            trash_and_suspend(here);
        }
        0
    });
    while !green.finished() {
        green.resume(0);
        zero();
    }
}

/// The instruction pointers of a walk from here.
#[inline(never)]
fn walk() -> Vec<usize> {
    let mut ips = Vec::new();
    // SAFETY: the loop is how Windows documents a walk. Each record is the caller of the last.
    unsafe {
        let mut record = MaybeUninit::<Record>::zeroed().assume_init();
        RtlCaptureContext(&mut record);
        while record.integers[RIP] != 0 {
            assert!(ips.len() < 200, "the walk doesn't end: {ips:x?}");
            let (rip, rsp) = (record.integers[RIP], record.integers[RSP]);
            ips.push(rip);
            let (mut base, mut data, mut frame) = (0, ptr::null_mut(), 0);
            let function = RtlLookupFunctionEntry(rip, &mut base, ptr::null_mut());
            assert!(!function.is_null(), "a walk has left the program at {rip:x}");
            RtlVirtualUnwind(0, base, rip, function, &mut record, &mut data, &mut frame, ptr::null_mut());
            assert!((rip, rsp) != (record.integers[RIP], record.integers[RSP]));
        }
    }
    ips
}

#[inline(never)]
fn walks_at_depth(depth: usize) -> Vec<usize> {
    let noise = black_box([depth; 37]);
    let ips = if depth == 0 { walk() } else { walks_at_depth(depth - 1) };
    assert_eq!(black_box(noise), [depth; 37]);
    ips
}

/// Whether the walk went through the function at this address. (A function of a test binary is
/// found by the start that its unwinding information tells.)
fn goes_through(ips: &[usize], function: usize) -> bool {
    let start = |rip| {
        let mut base = 0;
        // SAFETY: only reads tables of the program.
        let entry = unsafe { RtlLookupFunctionEntry(rip, &mut base, ptr::null_mut()).as_ref() };
        entry.map(|entry| base + entry.begin as usize)
    };
    ips.iter().any(|rip| start(*rip).is_some() && start(*rip) == start(function))
}

#[test]
fn a_walk_ends_at_the_entry() {
    let depth_of = |depth| {
        let mut green = Green::new(move |_, _| {
            let ips = walks_at_depth(depth);
            assert!(goes_through(&ips, walks_at_depth as *const () as usize));
            assert!(!goes_through(&ips, a_walk_ends_at_the_entry as *const () as usize));
            ips.len()
        });
        green.resume(0)
    };
    assert_eq!(depth_of(7), depth_of(2) + 5);
}

#[test]
fn a_walk_of_a_coroutine_crosses_into_its_resumer() {
    let mut co = Coroutine::<(), usize, ()>::new(|co, ()| {
        co.suspend(0);
        co.suspend(walks_at_depth(2).len());
    });
    co.next();
    let home = walk().len();
    assert!(co.next().unwrap() > home + 2);
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
