//! A closure on another stack.

use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    let expected = "the closure runs on our stack\ndropped: what the closure owns\n\
                    it returns: what the closure owns was here\nit was called 1 time(s)\n";
    for profile in Profile::BOTH {
        let printed = solution.prints(profile, &[])?;
        let drops = printed.lines().filter(|line| line.starts_with("dropped: ")).count();
        let hint = match drops {
            _ if printed.contains("main's stack") => {
                "The closure has to be called by `trampoline`, which `call_on` calls."
            }
            0 => {
                "The closure was never dropped, or never called: `trampoline` has to take it out of its place."
            }
            2.. => {
                "The closure was dropped twice: once when it was called, and once where it lay before. An `Option` \
                    can be emptied by `take`."
            }
            _ => "",
        };
        compare(expected, &printed)
            .map_err(|wrong| format!("Built for {}: {hint}\n{wrong}", profile.name()))?;
    }
    Ok("Any closure, on any stack, and its result comes back.".to_owned())
}
