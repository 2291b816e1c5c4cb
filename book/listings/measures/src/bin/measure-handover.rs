//! Chapter 1: what it takes until another OS thread goes on.

use std::thread;

fn main() {
    let main = thread::current();
    let other = thread::spawn(move || {
        loop {
            thread::park();
            main.unpark();
        }
    });
    measures::measure("os-thread-handover", 2_000, |count| {
        for _ in 0..count / 2 {
            other.thread().unpark();
            thread::park();
        }
    });
}
