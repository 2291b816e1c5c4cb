//! Switches between contexts, which keep everything that a call keeps.

mod common;

use std::hint::black_box;
use std::mem::MaybeUninit;

use common::trash::{TOWARD_ZERO, rounding, set_rounding, trash_and_suspend};
use common::{Green, Here};
use greenthread_context::{Context, MmapStack, Stack, StackBounds, init, switch, switch_final};

#[test]
fn values_go_both_ways() {
    let mut green = Green::new(|here, first| {
        assert_eq!(first, 1);
        assert_eq!(here.suspend(2), 3);
        assert_eq!(here.suspend(usize::MAX), 0);
        7
    });
    assert_eq!(green.resume(1), 2);
    assert_eq!(green.resume(3), usize::MAX);
    assert_eq!(green.resume(0), 7);
    assert!(green.finished());
}

#[test]
fn a_million_round_trips() {
    let mut green = Green::new(|here, mut n| {
        loop {
            n = here.suspend(n + 1);
        }
    });
    let mut n = 0;
    while n < 1_000_000 {
        n = green.resume(n);
    }
    assert_eq!(n, 1_000_000);
}

#[test]
fn any_alignment_of_top_will_do() {
    unsafe extern "C" fn entry(caller: usize) -> ! {
        // The alignment that the calling convention promises. The compiler relies on it; for a
        // larger one it would align the frame itself.
        #[cfg_attr(any(target_arch = "arm", target_arch = "s390x"), repr(align(8)))]
        #[cfg_attr(not(any(target_arch = "arm", target_arch = "s390x")), repr(align(16)))]
        struct Aligned([u8; 16]);
        let local = black_box(Aligned([1; 16]));
        let address = &raw const local.0 as usize;
        // SAFETY: `caller` is the address of the resumer's context, which is suspended.
        unsafe { switch_final(*(caller as *const Context), address) }
    }
    const ALIGN: usize = if cfg!(any(target_arch = "arm", target_arch = "s390x")) { 8 } else { 16 };
    let stack = MmapStack::new(64 * 1024).unwrap();
    for offset in 0..40 {
        let mut caller = MaybeUninit::<Context>::uninit();
        // SAFETY: nothing else uses the stack; the context ends before the next one is made.
        let local = unsafe {
            let start = init(StackBounds::new(stack.limit(), stack.top().sub(offset)), entry);
            switch(caller.as_mut_ptr(), start, caller.as_mut_ptr() as usize)
        };
        assert_eq!(local % ALIGN, 0);
        assert!(local >= stack.limit().addr().get() && local < stack.top().addr().get() - offset);
    }
}

#[test]
fn nested() {
    fn level(n: usize) -> Green {
        Green::new(move |here, arg| {
            if n == 0 {
                return here.suspend(arg) + 1;
            }
            let mut inner = level(n - 1);
            let got = inner.resume(arg);
            let back = here.suspend(got + 1);
            inner.resume(back) + 1
        })
    }
    let mut outer = level(50);
    assert_eq!(outer.resume(5), 55);
    assert_eq!(outer.resume(100), 151);
    assert!(outer.finished());
}

#[test]
fn suspends_deep_in_a_recursion() {
    fn down(here: &Here, depth: usize) -> usize {
        let noise = black_box([depth; 16]);
        let below = if depth == 0 { here.suspend(0) } else { down(here, depth - 1) };
        assert_eq!(noise, [depth; 16]);
        below + 1
    }
    let mut green = Green::with_size(32 << 20, down);
    assert_eq!(green.resume(10_000), 0);
    assert_eq!(green.resume(3), 10_004);
}

#[test]
fn a_thousand_contexts_take_turns() {
    let mut all: Vec<Green> = (0..1000)
        .map(|id| {
            Green::with_size(16 * 1024, move |here, _| {
                let mut sum = id;
                for _ in 0..10 {
                    sum += here.suspend(sum);
                }
                sum
            })
        })
        .collect();
    for (id, green) in all.iter_mut().enumerate() {
        assert_eq!(green.resume(0), id);
    }
    for round in 1..=10 {
        for (id, green) in all.iter_mut().enumerate() {
            assert_eq!(green.resume(1), id + round);
        }
    }
    assert!(all.iter().all(Green::finished));
}

#[test]
fn everything_live_survives() {
    /// Keeps more integers and floats live than there are registers.
    #[inline(never)]
    fn churn(seed: u64, mut around: impl FnMut()) -> (u64, f64) {
        let mut ints: [u64; 20] = std::array::from_fn(|i| seed.wrapping_mul(i as u64 + 3));
        let mut floats: [f64; 20] = std::array::from_fn(|i| (seed + i as u64) as f64);
        for round in 0..50 {
            for i in 0..20 {
                ints[i] = ints[i].rotate_left(7).wrapping_add(ints[(i + 1) % 20]);
                floats[i] = floats[i] * 0.5 + floats[(i + 3) % 20];
            }
            let (a, b, c, d) = (ints[0], ints[1], floats[0], floats[1]);
            around();
            ints[2] ^= a.wrapping_add(b).wrapping_add(round);
            floats[2] += c - d;
        }
        (ints.iter().fold(0, |x, y| x ^ y), floats.iter().sum())
    }
    let want = churn(black_box(99), || ());
    let mut trasher = Green::new(|here, _| {
        loop {
            trash_and_suspend(here);
        }
    });
    assert_eq!(
        churn(black_box(99), || {
            trasher.resume(0);
        }),
        want
    );
    // And the same on the other side.
    let mut churner = Green::new(move |here, _| {
        let here = *here;
        assert_eq!(churn(black_box(99), || trash_and_suspend(&here)), want);
        1
    });
    while !churner.finished() {
        churner.resume(0);
    }
}

/// A switch leaves the control words as they are (A2 of `arch`): each side sees what the other one
/// has set.
#[test]
fn control_words_are_left_alone() {
    let usual = rounding();
    let mut green = Green::new(move |_, _| {
        let seen = rounding();
        set_rounding(usual);
        seen
    });
    set_rounding(TOWARD_ZERO);
    let seen = green.resume(0);
    let after = rounding();
    set_rounding(usual);
    assert_ne!(usual, TOWARD_ZERO);
    assert_eq!((seen, after), (TOWARD_ZERO, usual));
}

#[test]
fn the_slot_may_be_that_of_the_context_resumed() {
    // Two contexts share one slot. Each takes the other from it, and saves itself there.
    static mut SLOT: MaybeUninit<Context> = MaybeUninit::uninit();
    unsafe extern "C" fn entry(mut n: usize) -> ! {
        loop {
            // SAFETY: the slot holds the other context, which is suspended.
            n = unsafe { switch((&raw mut SLOT).cast(), SLOT.assume_init(), n + 1) };
        }
    }
    let stack = MmapStack::new(16 * 1024).unwrap();
    // SAFETY: only this OS thread uses the slot, which holds the other context; the stack outlives
    // the last switch.
    unsafe {
        SLOT = MaybeUninit::new(init(StackBounds::of(&stack), entry));
        for n in 0..100 {
            assert_eq!(switch((&raw mut SLOT).cast(), SLOT.assume_init(), n), n + 1);
        }
    }
}

#[test]
fn an_abandoned_stack_can_be_freed_at_once() {
    for n in 0..1000 {
        let mut green = Green::with_size(16 * 1024, |_, n| n + 1);
        assert_eq!(green.resume(n), n + 1);
        drop(green);
    }
}

#[test]
fn contexts_on_each_os_thread() {
    let threads: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(|| {
                let mut green = Green::new(|here, mut n| {
                    loop {
                        n = here.suspend(n + 1);
                    }
                });
                (0..10_000).for_each(|n| assert_eq!(green.resume(n), n + 1));
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
