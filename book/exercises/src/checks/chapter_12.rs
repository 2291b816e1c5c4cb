//! The switch for RISC-V.

use crate::machine::Machine;
use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    let riscv = Machine::named("riscv64").expect("there is this machine");
    let mut expected = String::new();
    for turn in 1..=3 {
        expected += &format!("main: turn {turn}\nstart: turn {turn}\n");
        expected += "whole numbers: right\nfloating point: right\n";
    }
    for profile in Profile::BOTH {
        let printed = solution.prints_on(riscv, profile)?;
        if printed.contains("WRONG") {
            let what = "A number has changed over the switch. The compiler keeps numbers in the registers that a \
                        call keeps, unless it is told that they are lost: s2 to s11, and fs0 to fs11.";
            return Err(format!("Built for {}:\n{what}\n{printed}", profile.name()));
        }
        compare(&expected, &printed).map_err(|wrong| format!("Built for {}:\n{wrong}", profile.name()))?;
    }
    Ok("You have ported it to a machine that you needn't have.".to_owned())
}
