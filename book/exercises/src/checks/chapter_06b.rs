//! A mailbox whose reader does not ask again and again.

use crate::solution::{Profile, Solution, Verdict, indented};

pub(super) fn check(solution: &Solution) -> Verdict {
    for profile in Profile::BOTH {
        let printed = solution.prints(profile, &[]).map_err(|wrong| {
            let hint = if wrong.contains("already borrowed") || wrong.contains("BorrowMutError") {
                "\nA queue stays borrowed until the statement ends that has borrowed it; and a switch in the middle lets \
                 others find it so."
            } else {
                "\nA thread that waits is a `Thread` like any other: it is moved into a queue after its switch, by `run`, \
                 and not while it still runs."
            };
            wrong + hint
        })?;
        for number in 1..=3 {
            for line in [format!("sent {number}"), format!("received {number}")] {
                if !printed.lines().any(|it| it == line) {
                    let hint = "Is the receiver put back into `READY` when a message is sent?";
                    return Err(format!("No line says `{line}`. {hint}\n{}", indented(&printed)));
                }
            }
        }
        let turns =
            printed.lines().find_map(|line| line.strip_suffix(" turns were given")?.parse::<usize>().ok());
        let Some(turns) = turns else {
            return Err(format!("There should be a line `… turns were given`.\n{}", indented(&printed)));
        };
        // The sender has 301, the receiver one for each message and the first.
        if turns > 310 {
            return Err(format!(
                "{turns} turns were given. The sender needs 301 and the receiver 4: the others were spent asking."
            ));
        }
        if turns < 301 {
            return Err(format!(
                "{turns} turns were given. The sender alone has 301: who takes the others away?"
            ));
        }
    }
    Ok("A thread that waits costs nothing now, but its stack.".to_owned())
}
