//! Threads that succeed or fail together.

use crate::solution::{Profile, Solution, Verdict, indented};

pub(super) fn check(solution: &Solution) -> Verdict {
    let printed = solution.prints(Profile::Debug, &[])?;
    let wrong = |why: &str| Err(format!("{why}\n{}", indented(&printed)));
    let place = |line: &str| printed.lines().position(|it| it == line);
    let (Some(quick), Some(slow)) = (place("done: quick"), place("done: slow")) else {
        return wrong("Both tasks of the first list should be done.");
    };
    if slow < quick {
        return wrong(
            "`slow` takes three turns and `quick` none, so `quick` is done first, if both are threads at once.",
        );
    }
    if place("results: slow, quick").is_none() {
        return wrong("The results are those of the tasks in their order: slow, quick.");
    }
    let Some(end) = printed.lines().position(|line| line.starts_with("panicked with")) else {
        return wrong("Two tasks of the second list panic, so `all` panics, too.");
    };
    if place("panicked with something else").is_some() {
        return wrong(
            "`all` panics with something else than its task. To `unwrap` an error makes a panic of its own: \
             `resume_unwind` goes on with the one that there was.",
        );
    }
    if place("panicked with 7").is_none() {
        return wrong("7 and 8 have panicked, 8 first in time; 7 is the first in the list.");
    }
    for line in ["failed: 7", "failed: 8", "done: one", "done: last"] {
        if place(line).is_none_or(|line| line > end) {
            return wrong(&format!(
                "`{line}` should come before the panic goes on: `all` waits for all of them."
            ));
        }
    }
    for line in ["dropped: one", "dropped: last"] {
        if place(line).is_none_or(|line| line > end) {
            return wrong(&format!("`{line}` is missing: a result that nobody gets is dropped."));
        }
    }
    Ok("They succeed together, or fail together.".to_owned())
}
