//! Two multiplication tables, one after the other.

use generators::{cell, total};

fn main() {
    table("a", 2, 3);
    table("b", 3, 2);
}

fn table(name: &str, rows: u64, columns: u64) {
    for row in 1..=rows {
        let mut sum = 0;
        for column in 1..=columns {
            cell(name, row, column);
            sum += row * column;
            // Here the other table should have its turn.
        }
        total(name, row, sum);
    }
}
