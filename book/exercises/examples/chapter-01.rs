//! Exercise of chapter 1: let the two loops take turns, without threads.
//!
//! As it stands, the first loop counts to five before the second one begins. Change `main` so that
//! the program prints `one: 1`, `two: 1`, `one: 2`, `two: 2`, and so on. Then run
//! `cargo run -p exercises -- check 1`.

fn main() {
    let one = (1..=5).map(|number| format!("one: {number}"));
    let two = (1..=5).map(|number| format!("two: {number}"));
    for line in one {
        println!("{line}");
    }
    for line in two {
        println!("{line}");
    }
}
