//! Random reads of a file by many tasks. The `File`s of tokio and smol have no positioned reads,
//! and would seek and copy. So std's file is read on the blocking pool, as these `File`s do inside.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bench_common::files::{BLOCK, Offsets, check, data_path, prepare};
use bench_common::{Args, Mark, Rounds};

use crate::flavour::{join, spawn, unblock};

pub async fn read(args: &Args, cold: bool) {
    let n = args.n;
    let file = Arc::new(File::open(data_path()).expect("the runner has made it"));
    let mut rounds = Rounds::new(args);
    for round in 0.. {
        if !rounds.go_on() {
            break;
        }
        prepare(cold, round);
        let start = Mark::now();
        let spawn_one = |thread| {
            let file = file.clone();
            spawn(async move {
                let mut block = vec![0; BLOCK];
                for offset in Offsets::new(thread, round).take(n) {
                    let file = file.clone();
                    block = unblock(move || {
                        file.read_exact_at(&mut block, offset).expect("a file that can be read");
                        block
                    })
                    .await;
                    check(&block, offset);
                }
            })
        };
        for task in (0..args.threads).map(spawn_one).collect::<Vec<_>>() {
            join(task).await;
        }
        rounds.add(args.threads * n, start.elapsed());
    }
    rounds.report("");
}
