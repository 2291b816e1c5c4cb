//! The switch alone, by hand and through the safe coroutine.

use std::mem::MaybeUninit;

use bench_common::{Args, Mark, Rounds};
use greenthread_context::{Context, Coroutine, MmapStack, Stack, State, init, switch};

/// Where the two contexts are saved.
struct Pair {
    main: MaybeUninit<Context>,
    green: MaybeUninit<Context>,
}

pub fn by_hand(args: &Args) {
    let stack = MmapStack::new(64 * 1024).expect("a stack");
    let pair = Box::into_raw(Box::new(Pair { main: MaybeUninit::uninit(), green: MaybeUninit::uninit() }));
    // SAFETY: the stack outlives its context, which is never resumed after the last round. Both contexts
    // run on this OS thread. `pair` is valid for ever, and a slot is read only when its context has been saved there.
    unsafe {
        let start = init(stack.top(), echo);
        switch((*pair).main.as_mut_ptr(), start, pair as usize);
        let mut rounds = Rounds::new(args);
        while rounds.go_on() {
            let start = Mark::now();
            for i in 0..args.n {
                let got = switch((*pair).main.as_mut_ptr(), (*pair).green.assume_init(), i);
                assert_eq!(got, i);
            }
            rounds.add(2 * args.n, start.elapsed());
        }
        rounds.report("");
    }
}

unsafe extern "C" fn echo(pair: usize) -> ! {
    let pair = pair as *mut Pair;
    let mut message = 0;
    loop {
        // SAFETY: whoever resumes this context has been saved in `main`.
        message = unsafe { switch((*pair).green.as_mut_ptr(), (*pair).main.assume_init(), message) };
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
