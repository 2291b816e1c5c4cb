//! Two nested loops, taken apart, take turns.

use std::collections::VecDeque;

use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    let mut ready = VecDeque::from([turns("a", 2, 3), turns("b", 3, 2)]);
    let mut expected = String::new();
    while let Some(mut turns) = ready.pop_front() {
        if let Some(turn) = turns.pop_front() {
            expected += &turn;
            ready.push_back(turns);
        }
    }
    compare(&expected, &solution.prints(Profile::Debug, &[])?)?;
    Ok("The two tables take turns.".to_owned())
}

/// What each turn of a table prints.
fn turns(name: &str, rows: u32, columns: u32) -> VecDeque<String> {
    let mut turns = VecDeque::new();
    for row in 1..=rows {
        for column in 1..=columns {
            let complete =
                if column == columns { format!("{name}: row {row} is complete\n") } else { String::new() };
            turns.push_back(format!("{name}: row {row}, column {column}\n{complete}"));
        }
    }
    turns
}
