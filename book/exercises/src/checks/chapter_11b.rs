//! Ten registers, kept whole by hand.

use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    if cfg!(not(target_arch = "x86_64")) {
        return Err("This exercise needs an x86-64 processor.".to_owned());
    }
    let expected: String = (6..=15).map(|number| format!("xmm{number}: whole\n")).collect();
    for profile in Profile::BOTH {
        let printed = solution.prints(profile, &[]).map_err(|wrong| {
            let hint = "`movaps` needs an address that is a multiple of 16. At the first instruction, rsp is 8 more than one; and \
                        it must be one at\nthe call. At `ret`, it is where it was.";
            format!("{wrong}\n{hint}")
        })?;
        let hint = if printed.contains("half") {
            "Half of a register is kept: `movq` and `movsd` move 64 bits, and `movups` and `movaps` 128. The original \
             book made this mistake, too.\n"
        } else if printed.matches("lost").count() == 10 {
            "All ten are lost. Are they stored before the call, and loaded again behind it?\n"
        } else if printed.contains("lost") {
            "Some are lost. The 32 bytes from rsp on, where you call, belong to the function that is called.\n"
        } else {
            ""
        };
        compare(&expected, &printed)
            .map_err(|wrong| format!("Built for {}: {hint}{wrong}", profile.name()))?;
    }
    Ok("Ten registers, 128 bits each, and none is lost.".to_owned())
}
