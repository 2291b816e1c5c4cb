//! Exercise of chapter 10: what did it say? `join` gives what a thread has panicked with, and
//! that may be anything.
//!
//! Write `told`: the text of `panic!("...")` and of `panic!("... {number}")` (which type is
//! which?), and `something else` for what is neither. Then run
//! `cargo run -p exercises -- check 10`.

use std::any::Any;

use panics::{run, spawn};

fn told(payload: Box<dyn Any + Send>) -> String {
    // Your turn.
    drop(payload);
    "a panic".to_owned()
}

fn main() {
    std::panic::set_hook(Box::new(|_| ()));
    run(|| {
        let threads = [0_u32, 1, 2, 3].map(|number| {
            spawn(move || match number {
                0 => "no panic",
                1 => panic!("no more coffee"),
                2 => panic!("no more coffee for {number}"),
                _ => std::panic::panic_any(number),
            })
        });
        for thread in threads {
            println!("{}", thread.join().map_or_else(told, str::to_owned));
        }
    });
}
