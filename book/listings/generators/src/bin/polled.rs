//! One table as an `async` block, and a `main` that gives it its turns.

use std::pin::pin;
use std::task::{Context, Waker};

use generators::{cell, total, yield_now};

fn main() {
    let (name, rows, columns) = ("a", 2, 3);
    let table = async move {
        // `for` would do, and would hide a variable: the iterator.
        let mut row = 1;
        while row <= rows {
            let (mut column, mut sum) = (1, 0);
            while column <= columns {
                cell(name, row, column);
                sum += row * column;
                yield_now().await;
                column += 1;
            }
            total(name, row, sum);
            row += 1;
        }
    };
    println!("nothing has happened yet, in {} bytes", size_of_val(&table));
    let mut table = pin!(table);
    let mut context = Context::from_waker(Waker::noop());
    while table.as_mut().poll(&mut context).is_pending() {
        println!("main has its turn");
    }
    println!("the table has ended");
}
