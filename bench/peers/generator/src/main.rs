//! The `generator` crate: the switch alone. It has no switch without a generator, so both works are
//! the same.

use bench_common::{Args, Mark, Rounds};
use generator::Gn;

fn main() {
    let args = Args::from_env();
    if !matches!(args.work.as_str(), "switch" | "coroutine") {
        args.unknown();
    }
    let mut counter = Gn::<()>::new_scoped(|mut scope| {
        for i in 0usize.. {
            scope.yield_with(i);
        }
        unreachable!()
    });
    let mut rounds = Rounds::new(&args);
    while rounds.go_on() {
        let start = Mark::now();
        for _ in 0..args.n {
            assert!(counter.resume().is_some());
        }
        rounds.add(2 * args.n, start.elapsed());
    }
    rounds.report("");
    std::process::exit(0); // the generator never ends, and need not be unwound
}
