//! One task waits at eight channels.

use std::array;

use bench_common::{Args, Mark, Rounds};
use tokio::sync::mpsc::channel;

/// Eight tasks send N messages each, through a channel of their own with room for one; a ninth
/// receives from whichever has one. `select!` by default begins with a random arm, as that of the
/// other peers does.
pub async fn select(args: &Args) {
    let n = args.n;
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let mut channels: [_; 8] = array::from_fn(|_| channel(1));
        for (sender, _) in &channels {
            let sender = sender.clone();
            tokio::spawn(async move {
                for i in 0..n {
                    sender.send(i).await.expect("somebody receives");
                }
            });
        }
        let [a, b, c, d, e, f, g, h] = channels.each_mut().map(|(_, receiver)| receiver);
        let mut sum = 0;
        for _ in 0..8 * n {
            let received = tokio::select! {
                i = a.recv() => i,
                i = b.recv() => i,
                i = c.recv() => i,
                i = d.recv() => i,
                i = e.recv() => i,
                i = f.recv() => i,
                i = g.recv() => i,
                i = h.recv() => i,
            };
            sum += received.expect("its sender is here");
        }
        rounds.add(8 * n, start.elapsed());
        assert_eq!(sum, 8 * (n * (n - 1) / 2));
    }
    rounds.report("");
}
