//! rayon: the trees, by fork and join.

use bench_common::{Args, Mark, Rounds};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

/// Below this, fib is a plain recursion.
const CUT_OFF: usize = 12;

fn main() {
    let args = Args::from_env();
    let pool = ThreadPoolBuilder::new().num_threads(args.workers).build().expect("threads");
    pool.install(|| match args.work.as_str() {
        "skynet-joins" => measure(&args, args.n, |n| node(0, n), |n| n * (n - 1) / 2),
        "fib" => measure(&args, 1, fib, plain),
        _ => args.unknown(),
    });
}

fn measure(args: &Args, ops: usize, work: fn(usize) -> usize, right: fn(usize) -> usize) {
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let result = work(args.n);
        rounds.add(ops, start.elapsed());
        assert_eq!(result, right(args.n));
    }
    rounds.report("");
}

/// Each child is a job of its own, as it is a thread or a task of the other peers.
fn node(first: usize, leaves: usize) -> usize {
    if leaves == 1 {
        return first;
    }
    let part = leaves / 10;
    (0..10).into_par_iter().with_max_len(1).map(|i| node(first + i * part, part)).sum()
}

fn plain(n: usize) -> usize {
    if n < 2 { n } else { plain(n - 1) + plain(n - 2) }
}

fn fib(n: usize) -> usize {
    if n < CUT_OFF {
        return plain(n);
    }
    let (other, one) = rayon::join(|| fib(n - 1), || fib(n - 2));
    one + other
}
