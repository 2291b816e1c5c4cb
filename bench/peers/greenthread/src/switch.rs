//! The switch alone, by hand and through the safe coroutine.

use std::mem::MaybeUninit;

use bench_common::{Args, Mark, Rounds};
use greenthread_context::{Context, Coroutine, MmapStack, StackBounds, State, init, switch};

/// The two saved contexts. They are statics, so that finding them takes no time.
static mut MAIN: MaybeUninit<Context> = MaybeUninit::uninit();
static mut GREEN: MaybeUninit<Context> = MaybeUninit::uninit();

pub fn by_hand(args: &Args) {
    let stack = MmapStack::new(64 * 1024).expect("a stack");
    // SAFETY: `init` and the switches: the stack outlives its context, which is never resumed after
    // the last round, and both contexts run on this OS thread, the only one. A static is read only
    // when its context has been saved there.
    unsafe {
        switch((&raw mut MAIN).cast(), init(StackBounds::of(&stack), echo), 0);
        let mut rounds = Rounds::new(args);
        while rounds.go_on() {
            let start = Mark::now();
            for i in 0..args.n {
                switch((&raw mut MAIN).cast(), GREEN.assume_init(), i);
            }
            rounds.add(2 * args.n, start.elapsed());
        }
        rounds.report("");
    }
}

unsafe extern "C" fn echo(mut message: usize) -> ! {
    loop {
        // SAFETY: whoever resumes this context has been saved in `MAIN`.
        message = unsafe { switch((&raw mut GREEN).cast(), MAIN.assume_init(), message) };
    }
}

pub fn coroutine(args: &Args) {
    let mut counter = Coroutine::new(|co, ()| {
        for i in 0usize.. {
            co.suspend(i);
        }
    });
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        for _ in 0..args.n {
            let State::Yielded(_) = counter.resume(()) else { unreachable!() };
        }
        rounds.add(2 * args.n, start.elapsed());
    }
    rounds.report("");
}
