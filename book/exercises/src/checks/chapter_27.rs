//! An object that knows how far it has got, wherever it lies.

use crate::solution::{Profile, Solution, Verdict, compare};

const EXPECTED: &str = "a: waits for 1\nb: waits for 7\nb: waits for 8\na: waits for 2\na: waits for 3\n";

pub(super) fn check(solution: &Solution) -> Verdict {
    for profile in Profile::BOTH {
        let printed = solution.prints(profile, &[])?;
        compare(EXPECTED, &printed).map_err(|wrong| format!("{wrong}\n{}", hint(&printed)))?;
    }
    if solution.source()?.contains("unsafe ") {
        return Err(
            "It is right, and still has an `unsafe`. A number that isn't an address needs none.".to_owned()
        );
    }
    Ok("Each conversation serves its own line, wherever it has been moved to.".to_owned())
}

fn hint(printed: &str) -> &'static str {
    if printed.matches("a: waits for 1").count() > 1 {
        "It begins anew in each turn. What is it that it has to remember?"
    } else {
        "`next` is an address, and the line has gone elsewhere since. How can one say how far one has got, so \
         that it's true wherever the line lies?"
    }
}
