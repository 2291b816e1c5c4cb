//! A harder exercise of chapter 10: threads that succeed or fail together.
//!
//! `all` runs each of its tasks as a thread, and waits for them. If none panics, it returns their
//! results, in order. If any does, it panics in the same way, with what the first of them in the
//! list has panicked with: but not before all threads have ended, so that none goes on unseen.
//!
//! As it stands, it runs one after the other. `join` of chapter 10 returns a panic as an error, and
//! `std::panic::resume_unwind` goes on with it. Then run
//! `cargo run -p exercises -- check 10b`.

use std::panic::{self, AssertUnwindSafe, catch_unwind};

use panics::{run, spawn, yield_now};

type Task = Box<dyn FnOnce() -> Told>;

fn all(tasks: Vec<Task>) -> Vec<Told> {
    // Your turn.
    let _: fn(Task) -> panics::JoinHandle<Told> = spawn;
    tasks.into_iter().map(|task| task()).collect()
}

/// A result that says when it is dropped.
struct Told(&'static str);

impl Drop for Told {
    fn drop(&mut self) {
        println!("dropped: {}", self.0);
    }
}

/// A task that takes so many turns, and then returns its name.
fn task(name: &'static str, turns: usize) -> Task {
    Box::new(move || {
        for _ in 0..turns {
            yield_now();
        }
        println!("done: {name}");
        Told(name)
    })
}

/// A task that takes so many turns, and then panics with a number.
fn failing(number: u32, turns: usize) -> Task {
    Box::new(move || {
        for _ in 0..turns {
            yield_now();
        }
        println!("failed: {number}");
        panic::panic_any(number)
    })
}

fn main() {
    panic::set_hook(Box::new(|_| ()));
    run(|| {
        let results = all(vec![task("slow", 3), task("quick", 0)]);
        let names: Vec<&str> = results.iter().map(|told| told.0).collect();
        println!("results: {}", names.join(", "));
        drop(results);
        let tasks = vec![task("one", 1), failing(7, 2), failing(8, 0), task("last", 5)];
        match catch_unwind(AssertUnwindSafe(|| all(tasks))) {
            Ok(_) => println!("no panic"),
            Err(payload) => match payload.downcast_ref::<u32>() {
                Some(number) => println!("panicked with {number}"),
                None => println!("panicked with something else"),
            },
        }
    });
}
