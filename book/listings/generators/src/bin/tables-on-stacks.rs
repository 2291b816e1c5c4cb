//! Two multiplication tables that take turns: nested loops, left where they are.

use a_safe_face::{run, spawn, yield_now};
use generators::{cell, total};

fn main() {
    run(|| {
        spawn(|| table("a", 2, 3));
        spawn(|| table("b", 3, 2));
    });
}

fn table(name: &str, rows: u64, columns: u64) {
    let mut row = 1;
    while row <= rows {
        let (mut column, mut sum) = (1, 0);
        while column <= columns {
            cell(name, row, column);
            sum += row * column;
            yield_now();
            column += 1;
        }
        total(name, row, sum);
        row += 1;
    }
}
