//! What a panic has said.

use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    let expected = "no panic\nno more coffee\nno more coffee for 2\nsomething else\n";
    compare(expected, &solution.prints(Profile::Debug, &[])?)?;
    Ok("Texts of both types are told, and what is no text does no harm.".to_owned())
}
