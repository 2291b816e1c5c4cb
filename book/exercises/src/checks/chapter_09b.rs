//! A stack that gives its memory back.

use crate::solution::{Profile, Solution, Verdict, indented};

pub(super) fn check(solution: &Solution) -> Verdict {
    let printed = solution.prints(Profile::Debug, &[])?;
    let pages = |what: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(what)?.strip_suffix(" pages"));
        line.and_then(|pages| pages.parse::<usize>().ok()).ok_or_else(|| {
            format!("There should be a line `{what}… pages`, with a number.\n{}", indented(&printed))
        })
    };
    let (before, after) = (pages("in memory: ")?, pages("after that: ")?);
    if printed.contains("is lost") {
        return Err("What is in use is lost. The stack is in use from `sp` up; the page with `sp` in it is needed, too, \n\
                    and the kernel rounds a length up to whole pages."
            .to_owned());
    }
    if after >= before {
        return Err(format!(
            "{before} pages were in memory, and {after} still are. `madvise` begins at a multiple of \
                            the page size."
        ));
    }
    if after != 1 {
        return Err(format!("{after} pages are left. The 300 words in use lie in one."));
    }
    Ok(format!("{before} pages are 1 again, and what is in use is still there."))
}
