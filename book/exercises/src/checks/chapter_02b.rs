//! A return address, found on the stack.

use crate::solution::{Profile, Solution, Verdict, indented};

pub(super) fn check(solution: &Solution) -> Verdict {
    let printed = solution.prints(Profile::Debug, &[])?;
    let [near, far] = ["near", "far"].map(|name| found(&printed, name));
    let ((_, near), (words, far)) = (near?, far?);
    if near == 0 || far == 0 {
        return Err(
            "It points 0 bytes behind the beginning of the caller. That is the argument of `callee`, which \
                    lies\non the stack, too: the caller goes on behind the call, and not where it begins."
                .to_owned(),
        );
    }
    if far <= near {
        return Err(format!(
            "`far` does more before its call than `near`, so its return address should be further behind its\n\
             beginning; but it says {far} bytes, and {near} for `near`."
        ));
    }
    Ok(format!("Found: {words} words above a variable of yours stands where to go on."))
}

/// How many words and bytes the line for this caller says.
fn found(printed: &str, name: &str) -> Result<(usize, usize), String> {
    let line =
        printed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default();
    let numbers = || {
        let (words, rest) = line.split_once(" words above my variable, ")?;
        let bytes = rest.strip_suffix(" bytes behind the beginning")?;
        Some((words.parse().ok()?, bytes.parse().ok()?))
    };
    numbers().ok_or_else(|| {
        format!(
            "The return address into `{name}` was not found. Does `callee` look at each of the words above `here`?\n{}",
            indented(printed)
        )
    })
}
