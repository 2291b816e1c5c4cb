//! A barrier that can be used again.

use crate::solution::{Profile, Solution, Verdict, indented};

const THREADS: usize = 3;

pub(super) fn check(solution: &Solution) -> Verdict {
    for rounds in [1, 2, 7] {
        let printed = solution.prints(Profile::Debug, &[&rounds.to_string()]).map_err(|wrong| {
            let hint = "Those who wait look whether all have come. If the last one sets `here` back to 0, or somebody comes \
                        for the next round,\nthey may never see it: what changes once for each round, and stays?";
            if wrong.contains("does not end") { format!("With {rounds} rounds: {hint}\n{wrong}") } else { wrong }
        })?;
        let mut lines = printed.lines();
        for round in 1..=rounds {
            let mut done: Vec<&str> = lines.by_ref().take(THREADS).collect();
            done.sort_unstable();
            let wanted: Vec<String> =
                (1..=THREADS).map(|thread| format!("thread {thread} has done round {round}")).collect();
            let all = format!("all have done round {round}");
            if done != wanted || lines.next() != Some(&all) {
                return Err(format!(
                    "With {rounds} rounds: round {round} should have a line of each thread, and then one that says \
                     `{all}`.\n{}",
                    indented(&printed)
                ));
            }
        }
        if lines.next() != Some("the end") {
            return Err(format!("With {rounds} rounds: `the end` is missing.\n{}", indented(&printed)));
        }
    }
    Ok("Nobody is early, nobody is forgotten, and it can be used again.".to_owned())
}
