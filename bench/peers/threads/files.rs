//! Random reads of a file by many threads, and whole reads of small ones.

use std::hash::{DefaultHasher, Hasher};
use std::hint::black_box;
use std::io::Read;
use std::sync::Arc;

use bench_common::files::{BLOCK, Offsets, SMALL, SMALL_FILES, check, data_path, prepare, small_path};
use bench_common::{Args, Mark, Rounds};

use crate::flavour::{File, FileExt, spawn};

pub fn read(args: &Args, cold: bool) {
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
            spawn(move || {
                let mut block = [0; BLOCK];
                for offset in Offsets::new(thread, round).take(n) {
                    file.read_exact_at(&mut block, offset).expect("a file that can be read");
                    check(&block, offset);
                }
            })
        };
        for thread in (0..args.threads).map(spawn_one).collect::<Vec<_>>() {
            thread.join().expect("no panic");
        }
        rounds.add(args.threads * n, start.elapsed());
    }
    rounds.report("");
}

/// Each thread opens its share of the small files, hashes their contents and closes them.
pub fn hash(args: &Args) {
    let threads = args.threads;
    let mut rounds = Rounds::new(args);
    while rounds.go_on() {
        let start = Mark::now();
        let spawn_one = |thread| {
            spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                for index in (thread..SMALL_FILES).step_by(threads) {
                    let mut file = File::open(small_path(index)).expect("the runner has made it");
                    let (mut length, mut hasher) = (0, DefaultHasher::new());
                    while let count @ 1.. = file.read(&mut buffer).expect("a file that can be read") {
                        hasher.write(&buffer[..count]);
                        length += count;
                    }
                    assert_eq!(length, SMALL);
                    black_box(hasher.finish());
                }
            })
        };
        for thread in (0..threads).map(spawn_one).collect::<Vec<_>>() {
            thread.join().expect("no panic");
        }
        rounds.add(SMALL_FILES, start.elapsed());
    }
    rounds.report("");
}
