//! A backtrace from a green thread: it names the callers, and ends where the stack does.

use std::backtrace::Backtrace;
use std::hint::black_box;

use panics::{run, spawn};

fn main() {
    run(|| {
        spawn(outer);
    });
}

#[inline(never)]
fn outer() {
    inner();
    black_box(());
}

#[inline(never)]
fn inner() {
    let text = Backtrace::force_capture().to_string();
    // Lines with a number name a function, the others a place.
    let paths =
        text.lines().filter_map(|line| line.trim().split_once(": ")).map(|(_, path)| path);
    let names = paths.filter_map(|path| path.rsplit("::").next());
    for name in names.filter(|name| ["inner", "outer", "begin", "main"].contains(name)) {
        println!("{name}");
    }
    black_box(());
}
