//! Answer of chapter 1.

use std::collections::VecDeque;

fn main() {
    let mut ready = VecDeque::from([Table::new("a", 2, 3), Table::new("b", 3, 2)]);
    while let Some(mut table) = ready.pop_front() {
        if table.turn() {
            ready.push_back(table);
        }
    }
}

/// Both loops' variables, and their limits.
struct Table {
    name: &'static str,
    row: u32,
    rows: u32,
    column: u32,
    columns: u32,
}

impl Table {
    fn new(name: &'static str, rows: u32, columns: u32) -> Self {
        Self { name, row: 1, rows, column: 1, columns }
    }

    /// Goes once round the inner loop. What stands behind that loop belongs to its last round.
    fn turn(&mut self) -> bool {
        println!("{}: row {}, column {}", self.name, self.row, self.column);
        self.column += 1;
        if self.column > self.columns {
            println!("{}: row {} is complete", self.name, self.row);
            self.column = 1;
            self.row += 1;
        }
        self.row <= self.rows
    }
}
