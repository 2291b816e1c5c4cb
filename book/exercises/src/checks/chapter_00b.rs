//! A wait that the other side can end.

use crate::solution::{Profile, Solution, Verdict, indented};

pub(super) fn check(solution: &Solution) -> Verdict {
    let printed = solution.prints(Profile::Debug, &[])?;
    let wrong = |what: &str| Err(format!("{what} Printed was\n{}", indented(&printed)));
    let answer = |asked: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(&format!("{asked}: `")));
        let (answer, time) = line.and_then(|it| it.split_once("` after ")).unwrap_or_default();
        (answer, time.trim_end_matches(" ms").parse::<u32>().unwrap_or(0))
    };
    match answer("300") {
        ("waited 300 ms", 300..) => {}
        ("waited 300 ms", _) => return wrong("The first answer is too early: nobody has said `never mind`."),
        ("", _) => {
            return wrong(
                "The first question has no answer. A read that has waited for too long gives an error. Here it\n\
                 means that the time is over. Its `kind()` is `WouldBlock`, or `TimedOut` under Windows.",
            );
        }
        _ => return wrong("Nobody has said `never mind` to the first question."),
    }
    if answer("0").0 != "waited 0 ms" {
        return wrong(
            "To wait for no time at all should work, too. `set_read_timeout` refuses a limit of zero.",
        );
    }
    match answer("3000") {
        ("forgotten", ..3000) => {}
        (_, 3000..) => {
            return wrong(
                "After `never mind` the server goes on waiting. `sleep` hears nothing. A call that waits for a\n\
                 line does, and `set_read_timeout` says how long it waits at most.",
            );
        }
        _ => return wrong("To `never mind` the server should say `forgotten`."),
    }
    match answer("200") {
        ("waited 200 ms", 200..) => Ok("It waits as long as it should, and it listens meanwhile.".to_owned()),
        ("waited 200 ms", _) => wrong("The last answer is too early."),
        _ => wrong(
            "The caller has been silent for half a second before the last question, and got no answer. Is the\n\
             limit of the wait still set when the server waits for the next question?",
        ),
    }
}
