//! A mailbox, which must not be kept borrowed while others have their turns.

use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    for count in [0, 1, 2, 7] {
        let mut expected: String = (1..=count).map(|number| format!("read: letter {number}\n")).collect();
        expected += "0 letters are left\n";
        let printed = solution.prints(Profile::Debug, &[&count.to_string()]).map_err(|wrong| {
            let hint = "Who has borrowed the letters while `receive` waits, and for how long?";
            format!("With {count} letters: {wrong}\n{hint}")
        })?;
        compare(&expected, &printed).map_err(|wrong| format!("With {count} letters: {wrong}"))?;
    }
    Ok("All letters are read, in their order.".to_owned())
}
