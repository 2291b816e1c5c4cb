// ANCHOR: table
//! Two multiplication tables that take turns: nested loops, taken apart by hand.

use std::collections::VecDeque;

use generators::{cell, total};

/// A table that is under way: what `table` was called with, and where it stands.
struct Table {
    name: &'static str,
    rows: u64,
    columns: u64,
    place: Place,
}

/// Where it stands, with the variables that are alive there.
#[derive(Clone, Copy)]
enum Place {
    /// At the head of the outer loop.
    Row { row: u64 },
    /// At the head of the inner loop.
    Column { row: u64, column: u64, sum: u64 },
    /// Behind the last row.
    Ended,
}
// ANCHOR_END: table

// ANCHOR: turn
impl Table {
    fn new(name: &'static str, rows: u64, columns: u64) -> Self {
        Self { name, rows, columns, place: Place::Row { row: 1 } }
    }

    /// Goes on up to the next place where others should have their turns. Returns whether there
    /// is one.
    fn turn(&mut self) -> bool {
        let Self { name, rows, columns, .. } = *self;
        loop {
            match self.place {
                Place::Row { row } if row > rows => self.place = Place::Ended,
                Place::Row { row } => self.place = Place::Column { row, column: 1, sum: 0 },
                Place::Column { row, column, sum } if column > columns => {
                    total(name, row, sum);
                    self.place = Place::Row { row: row + 1 };
                }
                Place::Column { row, column, sum } => {
                    cell(name, row, column);
                    let sum = sum + row * column;
                    self.place = Place::Column { row, column: column + 1, sum };
                    return true;
                }
                Place::Ended => return false,
            }
        }
    }
}
// ANCHOR_END: turn

// ANCHOR: main
fn main() {
    let mut ready = VecDeque::from([Table::new("a", 2, 3), Table::new("b", 3, 2)]);
    while let Some(mut table) = ready.pop_front() {
        if table.turn() {
            ready.push_back(table);
        }
    }
    println!("a table that is under way: {} bytes", size_of::<Table>());
}
// ANCHOR_END: main
