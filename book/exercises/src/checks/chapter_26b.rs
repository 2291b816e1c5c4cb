//! A recursion, taken apart, takes turns.

use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    for (disks, turns) in [(1, 100), (2, 100), (5, 100), (0, 100), (16, 12)] {
        let mut moves = Vec::new();
        tower(&mut moves, disks, ["A", "B", "C"]);
        let both = moves.iter().flat_map(|it| [format!("a: {it}\n"), format!("b: {it}\n")]);
        let expected: String = both.take(turns).collect();
        let arguments = [disks.to_string(), turns.to_string()];
        let printed = solution.prints(Profile::Debug, &[&arguments[0], &arguments[1]])?;
        compare(&expected, &printed).map_err(|wrong| {
            format!("With {disks} disks and {turns} turns: {wrong}\n{}", hint(&expected, &printed))
        })?;
    }
    Ok("Two towers are under way, each with a stack of its own.".to_owned())
}

fn hint(expected: &str, printed: &str) -> &'static str {
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    if sorted(expected) == sorted(printed) {
        "The moves are right, and their order isn't. A call is at one of three places: before the first call \
         that it makes, between both, or behind the second one. And of the calls that haven't returned, it's \
         always the last one that goes on."
    } else {
        "Which calls haven't returned when a move is made? Each of them has variables and a place, and `Tower` \
         must keep them all, from one turn to the next."
    }
}

fn tower(moves: &mut Vec<String>, disks: u32, [from, by, to]: [&str; 3]) {
    if disks > 0 {
        tower(moves, disks - 1, [from, to, by]);
        moves.push(format!("disk {disks} from {from} to {to}"));
        tower(moves, disks - 1, [by, from, to]);
    }
}
