//! A gauge for stacks.

use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    let tries: [(&str, &[&str], usize, usize); 4] = [
        ("is not used at all", &["100"], 100, 0),
        ("is used in its last three words", &["100", "99", "98", "97"], 100, 3),
        (
            "is used at 99 and 40, with words between them that nobody has written to",
            &["100", "99", "40"],
            100,
            60,
        ),
        ("is used to its first word", &["8", "7", "0"], 8, 8),
    ];
    for (what, arguments, size, used) in tries {
        let mut expected = format!("{used} of {size} words were used\n");
        if used == size {
            expected += "and maybe more: this stack is too small\n";
        }
        let printed = solution.prints(Profile::Debug, arguments)?;
        compare(&expected, &printed).map_err(|wrong| format!("A stack of {size} words {what}.\n{wrong}"))?;
    }
    Ok("The gauge finds the deepest word, with holes above it or without.".to_owned())
}
