//! A green thread lends a variable of its own to an OS thread, and yields meanwhile.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use a_safe_face::{run, spawn, yield_now};

fn main() {
    run(|| {
        spawn(|| {
            let (number, stop) = (7, AtomicBool::new(false));
            thread::scope(|scope| {
                let reader = scope.spawn(|| {
                    while !stop.load(Relaxed) {
                        assert_eq!(number, 7);
                    }
                });
                for turn in 1..=3 {
                    println!("turn {turn}: it is lent");
                    yield_now();
                }
                stop.store(true, Relaxed);
                reader.join().expect("it has always read 7");
            });
            println!("nobody looks at the number any more");
        });
        spawn(|| {
            for turn in 1..=3 {
                println!("turn {turn} of another thread");
                yield_now();
            }
        });
    });
}
