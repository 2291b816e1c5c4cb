//! Two loops that take turns.

use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    let mut expected = String::new();
    for number in 1..=5 {
        expected += &format!("one: {number}\ntwo: {number}\n");
    }
    compare(&expected, &solution.prints(Profile::Debug, &[])?)?;
    Ok("The two loops take turns.".to_owned())
}
