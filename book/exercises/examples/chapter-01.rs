//! Exercise of chapter 1: two loops, one inside the other, taken apart by hand.
//!
//! As it stands, table `a` is printed to its end before table `b` begins. Make `table` a struct
//! with a method `turn` that does as much as one round of the inner loop, with whatever belongs to
//! it, and let the two tables take turns, as in `by-hand.rs`: `a` first, and who has ended is left
//! out. Then run `cargo run -p exercises -- check 1`.

fn main() {
    table("a", 2, 3);
    table("b", 3, 2);
}

fn table(name: &str, rows: u32, columns: u32) {
    for row in 1..=rows {
        for column in 1..=columns {
            println!("{name}: row {row}, column {column}");
        }
        println!("{name}: row {row} is complete");
    }
}
