//! Generators that ask generators.

use crate::solution::{Profile, Solution, Verdict, compare};

const HINT: &str = "While a generator runs, `CURRENT` is that generator. When it has delivered, whoever asked it goes on: \
                    who is `CURRENT` then?\nIt may be `main`, or another generator.";

pub(super) fn check(solution: &Solution) -> Verdict {
    let expected: String =
        (0..10).map(|number| format!("{number} squared is {}\n", number * number)).collect();
    for profile in Profile::BOTH {
        let printed = solution.prints(profile, &[]).map_err(|wrong| format!("{HINT}\n{wrong}"))?;
        if printed.lines().all(|line| line == "0 squared is 0") {
            return Err("It prints nothing but zeros: no generator ever gets a turn.".to_owned());
        }
        compare(&expected, &printed)
            .map_err(|wrong| format!("{HINT}\nBuilt for {}:\n{wrong}", profile.name()))?;
    }
    Ok("Generators may be nested as functions are.".to_owned())
}
