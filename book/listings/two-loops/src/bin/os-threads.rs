//! Two loops, each on an OS thread of its own.

use std::thread;

fn main() {
    let one = thread::spawn(|| count("one", 3));
    let two = thread::spawn(|| count("two", 5));
    one.join().expect("nothing in it panics");
    two.join().expect("nothing in it panics");
    println!("both threads have returned");
}

fn count(name: &str, last: u32) {
    for number in 1..=last {
        println!("thread {name}: {number}");
    }
}
