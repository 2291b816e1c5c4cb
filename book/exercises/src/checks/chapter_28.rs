//! A time limit for any future.

use crate::solution::{Profile, Solution, Verdict, indented};

struct Case {
    what: &'static str,
    outcome: &'static str,
    /// So many polls of the future are enough.
    most: u32,
    /// What may be wrong if the outcome is another one, or comes late.
    hint: &'static str,
}

const CASES: [Case; 3] = [
    Case {
        what: "quick",
        outcome: "Some(\"the end\")",
        most: 4,
        hint: "The future is ready long before the time is over. Both have to be polled in each turn.",
    },
    Case {
        what: "slow",
        outcome: "None",
        most: 4,
        hint: "When the time is over, the future still sleeps. Somebody has to wake the task then: `sleep(time)` \
               does, if it was polled with the same `context`. An `await` of one of the two doesn't poll the \
               other one, but `poll_fn` lets you poll both in each turn. And one `sleep(time)` is for the whole wait: \
               a new one in each poll begins anew.",
    },
    Case {
        what: "busy",
        outcome: "None",
        most: u32::MAX,
        hint: "The future is polled all the time here. Is there one `sleep(time)` for the whole wait? A new one \
               in each poll begins anew. And is it polled each time, or only once?",
    },
];

pub(super) fn check(solution: &Solution) -> Verdict {
    for Case { what, outcome, most, hint } in CASES {
        let printed = solution.prints(Profile::Debug, &[what]).map_err(|wrong| {
            let hint = if wrong.contains("does not end") {
                "Is `Poll::Pending` returned although nobody will wake the task?"
            } else if wrong.contains("resumed after completion") {
                "A future that has been ready must not be polled again."
            } else {
                ""
            };
            format!("`{what}`: {wrong}\n{hint}")
        })?;
        let wrong = |what_is: &str| format!("`{what}`: {what_is}\nIt printed:\n{}", indented(&printed));
        let value = |name: &str| {
            let mut values = printed.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            values.next_back().ok_or_else(|| wrong(&format!("there should be a line `{name}: ..`.")))
        };
        let found = value("outcome")?;
        if found != outcome {
            return Err(wrong(&format!("the outcome should be `{outcome}`, and is `{found}`. {hint}")));
        }
        if value("it has taken less than a second")? != "true" {
            return Err(wrong(&format!("the outcome is right, and comes late. {hint}")));
        }
        let polls: u32 = value("polls")?.parse().map_err(|_| wrong("the number of polls is no number."))?;
        if polls > most {
            return Err(wrong(&format!(
                "{polls} polls of the future, where {most} are enough. Whoever wakes the task in each poll asks \
                 again and again what time it is. Leave it to an alarm."
            )));
        }
    }
    Ok("It waits, but not for ever.".to_owned())
}
