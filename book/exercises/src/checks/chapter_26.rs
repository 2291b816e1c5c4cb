//! A future that keeps no more than it needs while it waits.

use crate::solution::{Profile, Solution, Verdict, compare};

const LIMIT: usize = 100;

pub(super) fn check(solution: &Solution) -> Verdict {
    let printed = solution.prints(Profile::Debug, &[])?;
    let (first, rest) = printed.split_once('\n').unwrap_or_default();
    let size = first.strip_prefix("a conversation: ").and_then(|it| it.strip_suffix(" bytes"));
    let size: usize = size.and_then(|it| it.parse().ok()).ok_or_else(|| {
        format!("The first line should still be `a conversation: .. bytes`, and it is `{first}`.")
    })?;
    compare("b: has waited for 1\nc: has waited for 2\na: has waited for 3\n", rest)?;
    if size >= 4096 {
        return Err(format!(
            "A conversation has {size} bytes: the line is still in it.\nA variable that was lent lives up to \
             the end of its block, and `drop` doesn't change that: it drops a copy of an array. Which block \
             ends before the `await`?"
        ));
    }
    if size > LIMIT {
        return Err(format!("A conversation has {size} bytes. What else lives across the `await`?"));
    }
    let source = solution.source()?;
    if ["Box::new", "vec!", "Vec<", "Vec::"].iter().any(|it| source.contains(it)) {
        return Err("The future is small, but its line is on the heap, and waits there.".to_owned());
    }
    Ok(format!("A conversation that waits keeps {size} bytes, where it kept 4 KiB."))
}
