//! Two loops, one after the other.

fn main() {
    count("one", 3);
    count("two", 5);
    println!("both loops have returned");
}

fn count(name: &str, last: u32) {
    for number in 1..=last {
        println!("loop {name}: {number}");
    }
}
