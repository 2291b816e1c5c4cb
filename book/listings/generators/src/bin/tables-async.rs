//! Two multiplication tables that take turns: nested loops, taken apart by the compiler.

use generators::{cell, take_turns, total, yield_now};

fn main() {
    let (a, b) = (table("a", 2, 3), table("b", 3, 2));
    let bytes = size_of_val(&a);
    take_turns([Box::pin(a) as _, Box::pin(b) as _]);
    println!("a table that is under way: {bytes} bytes");
}

async fn table(name: &'static str, rows: u64, columns: u64) {
    for row in 1..=rows {
        let mut sum = 0;
        for column in 1..=columns {
            cell(name, row, column);
            sum += row * column;
            yield_now().await;
        }
        total(name, row, sum);
    }
}
