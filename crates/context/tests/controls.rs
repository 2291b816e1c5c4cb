//! The floating-point control words: kept by the controls flavour, shared without it.

mod common;

use std::mem::MaybeUninit;

use greenthread_context::{Context, MmapStack, Stack, controls, init, switch};
use machine::{DEFAULT, UP, ZERO, get, set};

/// The control words of this machine as one number, without the flags of what has happened.
#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
mod machine {
    use std::arch::asm;

    /// Rounding to nearest, up, and to zero: of MXCSR bits 13 and 14, of the x87 control word bits 10 and 11.
    pub(super) const DEFAULT: u32 = 0x1f80 | 0x37f << 16;
    pub(super) const UP: u32 = DEFAULT | 0x4000 | 0x800 << 16;
    pub(super) const ZERO: u32 = DEFAULT | 0x6000 | 0xc00 << 16;

    pub(super) fn get() -> u32 {
        let (mut mxcsr, mut x87) = (0u32, 0u16);
        // SAFETY: stores into the two.
        unsafe {
            asm!("stmxcsr [{}]", "fnstcw [{}]", in(reg) &raw mut mxcsr, in(reg) &raw mut x87, options(nostack))
        };
        mxcsr & !0x3f | u32::from(x87) << 16
    }

    /// Only for a moment, and no floating-point code runs meanwhile.
    pub(super) unsafe fn set(controls: u32) {
        let (mxcsr, x87) = (controls & 0xffff, (controls >> 16) as u16);
        // SAFETY: loads from the two.
        unsafe {
            asm!("ldmxcsr [{}]", "fldcw [{}]", in(reg) &raw const mxcsr, in(reg) &raw const x87, options(nostack))
        };
    }
}

/// The control words of this machine as one number, without the flags of what has happened.
#[cfg(target_arch = "aarch64")]
mod machine {
    use std::arch::asm;

    /// Rounding to nearest, up, and to zero: FPCR, bits 22 and 23.
    pub(super) const DEFAULT: u32 = 0;
    pub(super) const UP: u32 = 1 << 22;
    pub(super) const ZERO: u32 = 3 << 22;

    pub(super) fn get() -> u32 {
        let controls: u64;
        // SAFETY: reads a register.
        unsafe { asm!("mrs {}, fpcr", out(reg) controls, options(nostack)) };
        controls as u32
    }

    /// Only for a moment, and no floating-point code runs meanwhile.
    pub(super) unsafe fn set(controls: u32) {
        // SAFETY: the caller's promise.
        unsafe { asm!("msr fpcr, {}", in(reg) u64::from(controls), options(nostack)) };
    }
}

/// The control words of this machine as one number, without the flags of what has happened.
#[cfg(target_arch = "riscv64")]
mod machine {
    use std::arch::asm;

    /// Rounding to nearest, up, and to zero: FRM.
    pub(super) const DEFAULT: u32 = 0;
    pub(super) const UP: u32 = 3;
    pub(super) const ZERO: u32 = 1;

    pub(super) fn get() -> u32 {
        let controls: u64;
        // SAFETY: reads a register.
        unsafe { asm!("frrm {}", out(reg) controls, options(nostack)) };
        controls as u32
    }

    /// Only for a moment, and no floating-point code runs meanwhile.
    pub(super) unsafe fn set(controls: u32) {
        // SAFETY: the caller's promise.
        unsafe { asm!("fsrm {}", in(reg) u64::from(controls), options(nostack)) };
    }
}

#[derive(Clone, Copy)]
struct Slots {
    main: MaybeUninit<Context>,
    green: MaybeUninit<Context>,
    controls: bool,
}

unsafe extern "C" fn entry(arg: usize) -> ! {
    let slots = arg as *mut Slots;
    let mut seen = get();
    // SAFETY: main waits while this runs.
    unsafe {
        set(UP);
        loop {
            let (main, word) = ((*slots).main.assume_init(), seen as usize);
            let save = (*slots).green.as_mut_ptr();
            if (*slots).controls {
                controls::switch(save, main, word)
            } else {
                switch(save, main, word)
            };
            seen = get();
        }
    }
}

/// What the green context sees at its start and later, and what main sees after each of its turns.
fn run(flavour_green: bool, flavour_main: bool) -> [u32; 4] {
    let stack = MmapStack::new(64 * 1024).unwrap();
    let mut slots =
        Slots { main: MaybeUninit::uninit(), green: MaybeUninit::uninit(), controls: flavour_green };
    let slots = &raw mut slots;
    // SAFETY: each context is resumed when it is suspended. The controls are put back.
    unsafe {
        let make = if flavour_green { controls::init } else { init };
        let start = make(stack.top(), entry);
        let go = |to, arg| {
            let save = (*slots).main.as_mut_ptr();
            if flavour_main { controls::switch(save, to, arg) } else { switch(save, to, arg) }
        };
        set(ZERO);
        let first = go(start, slots as usize);
        let main_first = get();
        set(ZERO);
        let second = go((*slots).green.assume_init(), 0);
        let main_second = get();
        set(DEFAULT);
        [first as u32, main_first, second as u32, main_second]
    }
}

#[test]
fn the_controls_flavour_keeps_them_for_each_context() {
    assert_eq!(run(true, true), [DEFAULT, ZERO, UP, ZERO]);
}

#[test]
fn the_default_does_not() {
    assert_eq!(run(false, false), [ZERO, UP, ZERO, ZERO]);
}

#[test]
fn flavours_mix() {
    // Green keeps its own, main goes on with those of its resumer.
    assert_eq!(run(true, false), [DEFAULT, UP, UP, UP]);
    // The other way round.
    assert_eq!(run(false, true), [ZERO, ZERO, ZERO, ZERO]);
}
