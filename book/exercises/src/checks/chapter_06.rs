//! A mailbox between two threads.

use crate::solution::{Profile, Solution, Verdict};

pub(super) fn check(solution: &Solution) -> Verdict {
    for profile in Profile::BOTH {
        let printed = solution.prints(profile, &[]).map_err(|wrong| {
            let hint = if wrong.contains("already borrowed") || wrong.contains("already mutably borrowed") {
                "\nThe messages are still borrowed while the others have their turns. A borrow in the head of a `match`, a \
                 `while let` or an `if let`\nlasts until the end of it: take the message in a statement of its own."
            } else if wrong.contains("does not end") {
                "\nWhile `recv` waits, the others must have their turns."
            } else {
                ""
            };
            wrong + hint
        })?;
        let place = |wanted: String| {
            printed.lines().position(|line| line == wanted).ok_or_else(|| {
                format!("Built for {}: no line says `{wanted}`. The whole output:\n{printed}", profile.name())
            })
        };
        let end = place("both threads have returned".to_owned())?;
        let mut before = 0;
        for number in 1..=3 {
            let (sent, received) = (place(format!("sent {number}"))?, place(format!("received {number}"))?);
            if received < sent || received < before || end < received {
                return Err(format!("The lines are in an impossible order:\n{printed}"));
            }
            before = received;
        }
    }
    Ok("Your threads talk.".to_owned())
}
