//! A first function with an argument.

use crate::machine::Machine;
use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    let riscv = Machine::named("riscv64").expect("there is this machine");
    let expected: String =
        (0..3).map(|turn| format!("number {}\nnumber {}\n", 10 + turn, 20 + turn)).collect();
    for profile in Profile::BOTH {
        let printed = solution.prints_on(riscv, profile).map_err(|wrong| {
            if wrong.contains("signal 4") || wrong.contains("signal 11") {
                format!("{wrong}\n`begin` has to go to `entry`: which register does `switch` load with its address?")
            } else {
                wrong
            }
        })?;
        compare(&expected, &printed).map_err(|wrong| {
            format!(
                "Built for {}: the argument is expected in a0, and `switch` loads s0 and s1 from the new stack.\n{wrong}",
                profile.name()
            )
        })?;
    }
    Ok("Any function can be the first one, with what it needs.".to_owned())
}
