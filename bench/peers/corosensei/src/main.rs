//! corosensei: the switch alone. It has no switch without its `Coroutine`, so both works are the
//! same.

use bench_common::{Args, Mark, Rounds};
use corosensei::{Coroutine, CoroutineResult};

fn main() {
    let args = Args::from_env();
    if !matches!(args.work.as_str(), "switch" | "coroutine") {
        args.unknown();
    }
    let mut counter = Coroutine::new(|yielder, ()| {
        for i in 0usize.. {
            yielder.suspend(i);
        }
    });
    let mut rounds = Rounds::new(&args);
    while rounds.go_on() {
        let start = Mark::now();
        for _ in 0..args.n {
            let CoroutineResult::Yield(_) = counter.resume(()) else { unreachable!() };
        }
        rounds.add(2 * args.n, start.elapsed());
    }
    rounds.report("");
    std::process::exit(0); // the coroutine never ends, and need not be unwound
}
