//! A generator.

use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    let mut expected = String::new();
    let (mut number, mut following) = (0_u64, 1);
    for _ in 0..20 {
        expected += &format!("{number}\n");
        (number, following) = (following, number + following);
    }
    for profile in Profile::BOTH {
        let printed = solution.prints(profile, &[])?;
        if printed.lines().all(|line| line == "0") {
            return Err("It prints nothing but zeros: `start` never gets a turn. Who switches to its stack?"
                .to_owned());
        }
        compare(&expected, &printed).map_err(|wrong| format!("Built for {}:\n{wrong}", profile.name()))?;
    }
    Ok("You have built a generator.".to_owned())
}
