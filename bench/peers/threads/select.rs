//! One thread waits at eight channels.

use std::array;

use bench_common::{Args, Mark, Rounds};

use crate::flavour::{bounded, select, spawn};

/// Eight threads send N messages each, through a channel of their own with room for one; a ninth
/// receives from whichever has one.
pub fn select(args: &Args) {
    let n = args.n;
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let channels: [_; 8] = array::from_fn(|_| bounded(1));
        for (sender, _) in &channels {
            let sender = sender.clone();
            spawn(move || (0..n).for_each(|i| sender.send(i).expect("somebody receives")));
        }
        let [a, b, c, d, e, f, g, h] = channels.each_ref().map(|(_, receiver)| receiver);
        let mut sum = 0;
        for _ in 0..8 * n {
            let received = select! {
                recv(a) -> i => i,
                recv(b) -> i => i,
                recv(c) -> i => i,
                recv(d) -> i => i,
                recv(e) -> i => i,
                recv(f) -> i => i,
                recv(g) -> i => i,
                recv(h) -> i => i,
            };
            sum += received.expect("its sender is here");
        }
        rounds.add(8 * n, start.elapsed());
        assert_eq!(sum, 8 * (n * (n - 1) / 2));
    }
    rounds.report("");
}
