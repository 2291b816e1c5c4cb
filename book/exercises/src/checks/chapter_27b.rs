//! A future of two futures, which are pinned with it.

use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    let expected = [(1, 1), (1, 3), (3, 2)].map(|(a, b)| polls(a, b)).concat();
    let printed = solution.prints(Profile::Debug, &[]).map_err(|wrong| {
        let hint = if wrong.contains("has been moved") {
            "A future that has been polled was moved. It has to stay in its field: what does \
             `Pin::new_unchecked` take?"
        } else if wrong.contains("after its end") {
            "A future that has been ready isn't polled any more. `outputs` has a place where one can see it."
        } else {
            "The lines above say where."
        };
        format!("{wrong}\n{hint}")
    })?;
    if printed.contains("None") {
        return Err(
            "After ten polls it still isn't ready. Does it poll both, and look at both outputs?".to_owned()
        );
    }
    compare(&expected, &printed)?;
    let source = solution.source()?;
    if source.contains("Box") {
        return Err(
            "It works, with a box. `Both` is pinned, so both futures stay where they are anyway.".to_owned()
        );
    }
    Ok("Both are polled where they lie, and none too often.".to_owned())
}

/// What is printed when `a` is ready at poll number `last_a`, and `b` likewise.
fn polls(last_a: u32, last_b: u32) -> String {
    let mut text = String::new();
    for poll in 1..=last_a.max(last_b) {
        for (name, last) in [("a", last_a), ("b", last_b)] {
            if poll <= last {
                text += &format!("{name}: poll {poll} of {last}\n");
            }
        }
    }
    text + &format!("Some(Ready(({last_a}, {last_b})))\n")
}
