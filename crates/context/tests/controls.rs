//! The floating-point control words: kept by the controls flavour, shared without it.

#![cfg(target_arch = "x86_64")]

mod common;

use std::arch::asm;
use std::mem::MaybeUninit;

use greenthread_context::{Context, MmapStack, Stack, controls, init, switch};

/// MXCSR and the x87 control word.
fn get() -> (u32, u16) {
    let (mut mxcsr, mut x87) = (0u32, 0u16);
    // SAFETY: stores into the two.
    unsafe {
        asm!("stmxcsr [{}]", "fnstcw [{}]", in(reg) &raw mut mxcsr, in(reg) &raw mut x87, options(nostack))
    };
    (mxcsr & !0x3f, x87) // without the flags of what has happened
}

/// Sets them. Only for a moment, and no floating-point code runs meanwhile.
unsafe fn set((mxcsr, x87): (u32, u16)) {
    // SAFETY: loads from the two.
    unsafe {
        asm!("ldmxcsr [{}]", "fldcw [{}]", in(reg) &raw const mxcsr, in(reg) &raw const x87, options(nostack))
    };
}

const DEFAULT: (u32, u16) = (0x1f80, 0x37f);
const UP: (u32, u16) = (0x1f80 | 0x4000, 0x37f | 0x800); // round up
const ZERO: (u32, u16) = (0x1f80 | 0x6000, 0x37f | 0xc00); // round to zero

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
            let (main, word) = ((*slots).main.assume_init(), seen.0 as usize | (seen.1 as usize) << 32);
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
fn run(flavour_green: bool, flavour_main: bool) -> [(u32, u16); 4] {
    let stack = MmapStack::new(64 * 1024).unwrap();
    let mut slots =
        Slots { main: MaybeUninit::uninit(), green: MaybeUninit::uninit(), controls: flavour_green };
    let slots = &raw mut slots;
    let unpack = |word: usize| (word as u32, (word >> 32) as u16);
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
        [unpack(first), main_first, unpack(second), main_second]
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
