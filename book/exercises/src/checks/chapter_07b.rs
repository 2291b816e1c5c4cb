//! A test that finds forgotten registers.

use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    let [first, second, last] =
        if cfg!(target_arch = "aarch64") { ["x21", "x22", "x23"] } else { ["r13", "r14", "r15"] };
    let expected = format!(
        "the honest one loses none\nthe forgetful one loses {last}\nthe liar loses {first}, {second}\n"
    );
    for profile in Profile::BOTH {
        let printed = solution.prints(profile, &[]).map_err(|wrong| {
            format!(
                "{wrong}\nThe functions really lose registers. Does your `asm!` tell the compiler that these four, and \
                 all that a call may use, are others afterwards?"
            )
        })?;
        let hint = if printed.matches("loses none").count() == 3 {
            "No loss is found. A number has to be in the register before the call, and the register to be read behind it.\n"
        } else if printed.contains("the honest one loses none") {
            ""
        } else {
            "The honest one loses nothing: is it compared with what was there before?\n"
        };
        compare(&expected, &printed)
            .map_err(|wrong| format!("Built for {}: {hint}{wrong}", profile.name()))?;
    }
    Ok("Whoever forgets a register is found out. The library tests its switches so.".to_owned())
}
