//! A handler that knows all guards.

use crate::child::End;
use crate::solution::{Profile, Solution, Verdict, indented};

pub(super) fn check(solution: &Solution) -> Verdict {
    let tries: [(&[&str], End, &str); 6] = [
        (&["stack", "0"], End::Status(0), ""),
        (&["guard", "0"], End::Signal(6), "stack 0 has overflowed"),
        (&["guard", "1"], End::Signal(6), "stack 1 has overflowed"),
        (&["guard", "2"], End::Signal(6), "stack 2 has overflowed"),
        (&["address", "0"], End::Signal(11), "not ours"),
        (&["address", "16"], End::Signal(11), "not ours"),
    ];
    for (arguments, end, says) in tries {
        let run = solution.run(Profile::Debug, arguments)?;
        let what = arguments.join(" ");
        if run.end == End::OutOfTime {
            return Err(format!(
                "When {what} is touched, the program does not end. If the handler returns, the access is tried again, and \n\
                 calls the handler again: who is to be called instead?"
            ));
        }
        if !run.stderr.contains(says) {
            return Err(format!(
                "When {what} is touched, it should say `{says}`.\n{}",
                indented(&run.stderr)
            ));
        }
        if run.end != end {
            let hint = match end {
                End::Signal(11) => ": without your handler, the system would have ended it by signal 11",
                _ => "",
            };
            return Err(format!("When {what} is touched, it ends by {}, not by {end}{hint}.", run.end));
        }
    }
    Ok("Each guard is known to be its stack's, and nothing else is taken for one.".to_owned())
}
