//! Answer of chapter 1.

fn main() {
    let one = (1..=5).map(|number| format!("one: {number}"));
    let two = (1..=5).map(|number| format!("two: {number}"));
    // `zip` asks one iterator, then the other: each keeps its place while it waits.
    for (line_of_one, line_of_two) in one.zip(two) {
        println!("{line_of_one}");
        println!("{line_of_two}");
    }
}
