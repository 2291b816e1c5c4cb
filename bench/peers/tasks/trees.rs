//! Tasks that spawn tasks.

use std::pin::Pin;

use bench_common::{Args, Mark, Rounds};

use crate::flavour::{Sender, channel, join, next, spawn, start_one};

/// Below this, fib is a plain recursion.
const CUT_OFF: usize = 12;

type Sum = Pin<Box<dyn Future<Output = usize> + Send>>;

pub async fn skynet_joins(args: &Args) {
    fn node(first: usize, leaves: usize) -> Sum {
        Box::pin(async move {
            if leaves == 1 {
                return first;
            }
            let part = leaves / 10;
            let children: Vec<_> = (0..10).map(|i| spawn(node(first + i * part, part))).collect();
            let mut sum = 0;
            for child in children {
                sum += join(child).await;
            }
            sum
        })
    }
    tree(args, |n| join(spawn(node(0, n)))).await;
}

pub async fn skynet_channels(args: &Args) {
    fn node(first: usize, leaves: usize, tell: Sender<usize>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            if leaves == 1 {
                return tell.send(first).await.expect("it waits");
            }
            let part = leaves / 10;
            let (sender, mut receiver) = channel(10);
            for i in 0..10 {
                start_one(node(first + i * part, part, sender.clone()));
            }
            let mut sum = 0;
            for _ in 0..10 {
                sum += next(&mut receiver).await.expect("ten children");
            }
            tell.send(sum).await.expect("it waits");
        })
    }
    tree(args, |n| async move {
        let (sender, mut receiver) = channel(1);
        start_one(node(0, n, sender));
        next(&mut receiver).await.expect("a sum")
    })
    .await;
}

async fn tree<F: Future<Output = usize>>(args: &Args, sum: impl Fn(usize) -> F) {
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let sum = sum(args.n).await;
        rounds.add(args.n, start.elapsed());
        assert_eq!(sum, args.n * (args.n - 1) / 2);
    }
    rounds.report("");
}

pub async fn fib(args: &Args) {
    fn plain(n: usize) -> usize {
        if n < 2 { n } else { plain(n - 1) + plain(n - 2) }
    }
    fn fib(n: usize) -> Sum {
        Box::pin(async move {
            if n < CUT_OFF {
                return plain(n);
            }
            let other = spawn(fib(n - 1));
            let one = fib(n - 2).await;
            one + join(other).await
        })
    }
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let number = fib(args.n).await;
        rounds.add(1, start.elapsed());
        assert_eq!(number, plain(args.n));
    }
    rounds.report("");
}
