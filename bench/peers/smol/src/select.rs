//! One task waits at eight channels.

use std::array;

use bench_common::{Args, Mark, Rounds};
use futures_util::stream::{StreamExt as _, select_all};

use crate::flavour::{channel, start_one};

/// Eight tasks send N messages each, through a channel of their own with room for one; a ninth
/// receives from whichever has one. smol has no `select!`. Its channels are streams, and
/// `select_all` makes one of them without waiting anew at each.
pub async fn select(args: &Args) {
    let n = args.n;
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let channels: [_; 8] = array::from_fn(|_| channel(1));
        for (sender, _) in &channels {
            let sender = sender.clone();
            start_one(async move {
                for i in 0..n {
                    sender.send(i).await.expect("somebody receives");
                }
            });
        }
        let mut all = select_all(channels.each_ref().map(|(_, receiver)| Box::pin(receiver.clone())));
        let mut sum = 0;
        for _ in 0..8 * n {
            sum += all.next().await.expect("its sender is here");
        }
        rounds.add(8 * n, start.elapsed());
        assert_eq!(sum, 8 * (n * (n - 1) / 2));
    }
    rounds.report("");
}
