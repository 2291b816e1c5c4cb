//! Two futures that are waited for at once.

use crate::solution::{Profile, Solution, Verdict, indented};

pub(super) fn check(solution: &Solution) -> Verdict {
    for (one, two) in [(3, 3), (2, 4), (4, 1), (0, 2), (1, 0), (0, 0)] {
        let arguments = [one.to_string(), two.to_string()];
        let printed = solution
            .prints(Profile::Debug, &[&arguments[0], &arguments[1]])
            .map_err(|wrong| format!("{wrong}\n{}", hint(&wrong)))?;
        let wrong = |what: &str| {
            format!("When one counts to {one} and two to {two}: {what}\nIt printed:\n{}", indented(&printed))
        };
        let lines: Vec<&str> = printed.lines().collect();
        if lines.last() != Some(&&*format!("both: ({one}, {two})")) {
            return Err(wrong("the last line should be the outcomes of both."));
        }
        let mut rest = &lines[..lines.len() - 1];
        for turn in 1..=one.max(two) {
            let expected = [("one", one), ("two", two)].into_iter().filter(|(_, last)| turn <= *last);
            let mut expected: Vec<String> = expected.map(|(name, _)| format!("{name}: {turn}")).collect();
            if rest.len() < expected.len() {
                return Err(wrong("some lines are missing."));
            }
            let (now, later) = rest.split_at(expected.len());
            // It doesn't matter which of the two is polled first.
            expected.retain(|line| !now.contains(&&**line));
            if let Some(late) = expected.first() {
                let why = "An `await` ends when its future is ready, and not before. So whoever awaits one \
                           of the futures doesn't poll the other one meanwhile. `poll_fn` lets you poll \
                           both in the same turn.";
                return Err(wrong(&format!("`{late}` belongs into turn {turn}. {why}")));
            }
            rest = later;
        }
        if !rest.is_empty() {
            return Err(wrong("there are too many lines."));
        }
    }
    Ok("Both futures go on in one task.".to_owned())
}

fn hint(wrong: &str) -> &'static str {
    if wrong.contains("resumed after completion") {
        "A future that has been ready must not be polled again. Keep its outcome, and leave it alone."
    } else if wrong.contains("does not end") {
        "Is `Poll::Pending` returned although nobody will wake the task? Each future is to be polled with \
         the `context` of `join`, and once both are ready, there is nothing to wait for."
    } else {
        ""
    }
}
