//! A call on another stack.

use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    for profile in Profile::BOTH {
        let expected =
            "main calls\nhello stands on our stack\nits stack pointer follows the entry rule\nmain goes on\n";
        compare(expected, &solution.prints(profile, &[])?)
            .map_err(|wrong| format!("Built for {}:\n{wrong}", profile.name()))?;
    }
    Ok("There and back, in debug and in release.".to_owned())
}
