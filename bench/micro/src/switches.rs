//! The switch alone, without the runtime.

use std::mem::MaybeUninit;

use greenthread_context::{Context, Coroutine, MmapStack, StackBounds, State, init, switch};

use crate::Meter;

/// The two saved contexts. They are statics, so that finding them takes no time.
static mut MAIN: MaybeUninit<Context> = MaybeUninit::uninit();
static mut GREEN: MaybeUninit<Context> = MaybeUninit::uninit();

pub(crate) fn by_hand(meter: impl Meter) {
    let stack = MmapStack::new(64 * 1024).expect("a stack");
    // SAFETY: `init` and the switches: the stack outlives its context, which is never resumed after
    // the last round, and both contexts run on this worker, which runs nothing else meanwhile:
    // nothing here yields. A static is read only when its context has been saved there.
    unsafe {
        switch((&raw mut MAIN).cast(), init(StackBounds::of(&stack), echo), 0);
        meter.measure(2, || {
            switch((&raw mut MAIN).cast(), GREEN.assume_init(), 1);
        });
    }
}

unsafe extern "C" fn echo(mut message: usize) -> ! {
    loop {
        // SAFETY: whoever resumes this context has been saved in `MAIN`.
        message = unsafe { switch((&raw mut GREEN).cast(), MAIN.assume_init(), message) };
    }
}

pub(crate) fn coroutine(meter: impl Meter) {
    let mut counter = Coroutine::new(|co, ()| {
        for i in 0usize.. {
            co.suspend(i);
        }
    });
    meter.measure(2, || {
        let State::Yielded(_) = counter.resume(()) else { unreachable!("it counts for ever") };
    });
}
