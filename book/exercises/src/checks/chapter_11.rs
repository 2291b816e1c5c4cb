//! A note more.

use crate::machine::Machine;
use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    let windows = Machine::named("windows").expect("there is this machine");
    let mut expected = String::new();
    for turn in 1..=3 {
        expected += &format!("one: {}\ntwo: {}\nthree: {}\nmain: 7\n", 100 + turn, 200 + turn, 300 + turn);
    }
    for profile in Profile::BOTH {
        let printed = solution.prints_on(windows, profile)?;
        if printed.lines().all(|line| line.ends_with(": 0") || line.ends_with(": 1")) {
            return Err("Nobody has written the note: what does `replace_fiber_data` do?".to_owned());
        }
        compare(&expected, &printed).map_err(|wrong| format!("Built for {}:\n{wrong}", profile.name()))?;
    }
    Ok("Each thread has its own, and so has main.".to_owned())
}
