//! Three conversations on one OS thread, none of which holds up the others.

use crate::solution::{Profile, Solution, Verdict, compare, indented};

pub(super) fn check(solution: &Solution) -> Verdict {
    let printed = solution.prints(Profile::Debug, &[])?;
    let (answers, last) = printed.trim_end().rsplit_once('\n').unwrap_or_default();
    compare("answer: waited 300 ms\nanswer: waited 300 ms\nanswer: waited 300 ms", answers)?;
    let time = last.strip_prefix("all of them after ").and_then(|it| it.strip_suffix(" ms"));
    match time.and_then(|it| it.parse::<u32>().ok()) {
        None => {
            Err(format!("The last line should say how long it took. Printed was\n{}", indented(&printed)))
        }
        Some(time @ ..300) => Err(format!(
            "All answers are there after {time} ms, and each caller has asked for 300. Who waits that long?"
        )),
        Some(time @ 900..) => Err(format!(
            "All answers are there after {time} ms: three waits, one after the other. While one conversation\n\
             waits, the OS thread should give turns to the others. Which call makes the OS thread itself wait?\n\
             A conversation can remember *until when* it waits, and look at the clock in each turn."
        )),
        Some(time) => Ok(format!("Three waits of 300 ms were over after {time} ms.")),
    }
}
