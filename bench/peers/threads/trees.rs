//! Threads that spawn threads.

use bench_common::{Args, Mark, Rounds};

use crate::flavour::{spawn, sync_channel};

/// Below this, fib is a plain recursion.
const CUT_OFF: usize = 12;

/// Skynet: ten children each, down to N leaves, whose numbers are added up on the way back, by the
/// results of joins.
pub fn skynet_joins(args: &Args) {
    fn node(first: usize, leaves: usize) -> usize {
        if leaves == 1 {
            return first;
        }
        let part = leaves / 10;
        let children: Vec<_> = (0..10).map(|i| spawn(move || node(first + i * part, part))).collect();
        children.into_iter().map(|child| child.join().expect("no panic")).sum()
    }
    tree(args, |n| spawn(move || node(0, n)).join().expect("no panic"));
}

/// The same by a channel for each node.
pub fn skynet_channels(args: &Args) {
    fn node(first: usize, leaves: usize, tell: impl FnOnce(usize)) {
        if leaves == 1 {
            return tell(first);
        }
        let part = leaves / 10;
        let (sender, receiver) = sync_channel(10);
        for i in 0..10 {
            let sender = sender.clone();
            // The type of a closure that contains itself would be infinite, so the closure of each
            // level is behind a pointer.
            let tell: Box<dyn FnOnce(usize) + Send> =
                Box::new(move |sum| sender.send(sum).expect("it waits"));
            spawn(move || node(first + i * part, part, tell));
        }
        tell((0..10).map(|_| receiver.recv().expect("ten children")).sum());
    }
    tree(args, |n| {
        let (sender, receiver) = sync_channel(1);
        let tell: Box<dyn FnOnce(usize) + Send> = Box::new(move |sum| sender.send(sum).expect("it waits"));
        spawn(move || node(0, n, tell));
        receiver.recv().expect("a sum")
    });
}

fn tree(args: &Args, sum: impl Fn(usize) -> usize) {
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let sum = sum(args.n);
        rounds.add(args.n, start.elapsed());
        assert_eq!(sum, args.n * (args.n - 1) / 2);
    }
    rounds.report("");
}

/// The N-th Fibonacci number, a thread for one of the two halves of each call; time of the whole.
pub fn fib(args: &Args) {
    fn plain(n: usize) -> usize {
        if n < 2 { n } else { plain(n - 1) + plain(n - 2) }
    }
    fn fib(n: usize) -> usize {
        if n < CUT_OFF {
            return plain(n);
        }
        let other = spawn(move || fib(n - 1));
        let one = fib(n - 2);
        one + other.join().expect("no panic")
    }
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let number = fib(args.n);
        rounds.add(1, start.elapsed());
        assert_eq!(number, plain(args.n));
    }
    rounds.report("");
}
