//! Two trees, walked in turns.

use crate::solution::{Profile, Solution, Verdict, indented};

pub(super) fn check(solution: &Solution) -> Verdict {
    let tries: [(&[u32], &[u32]); 7] = [
        (&[1, 2, 3, 4, 5, 6], &[1, 2, 3, 4, 5, 6]),
        (&[1, 2, 3, 4, 5, 6], &[9, 2, 3, 4, 5, 6]),
        (&[1, 2, 3, 4, 5, 6], &[1, 2, 3, 9, 5, 6]),
        (&[1, 2, 3, 4, 5, 6], &[1, 2, 3, 4, 5]),
        (&[1, 2], &[1, 2, 3, 4, 5]),
        (&[7], &[7]),
        (&[7], &[8]),
    ];
    for (first, second) in tries {
        let lists = [first, second].map(list);
        let printed = solution.prints(Profile::Debug, &lists.each_ref().map(String::as_str))?;
        let same = first == second;
        let right = format!("the leaves are {}", if same { "the same" } else { "not the same" });
        let lists = format!("The leaves {} and {}", lists[0], lists[1]);
        if printed.lines().next() != Some(&right) {
            return Err(format!("{lists}: the first line should be `{right}`.\n{}", indented(&printed)));
        }
        let (least, all) = (least(first, second), 2 * (first.len() + second.len()) - 2);
        match visited(&printed) {
            Some(visited) if visited == least => {}
            Some(visited) if visited == all => {
                return Err(format!(
                    "{lists}: all {all} nodes were visited, and {least} are enough. Let `next` stop at each leaf, and \n\
                     remember the branches to the right that it has passed by."
                ));
            }
            Some(visited) => {
                return Err(format!("{lists}: {visited} nodes were visited, and it takes {least}."));
            }
            None => {
                let wanted = "There should be a line `… nodes were visited`, with a number.";
                return Err(format!("{lists}: {wanted}\n{}", indented(&printed)));
            }
        }
    }
    Ok("Two recursions take turns, and stop where they differ.".to_owned())
}

fn list(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

fn visited(printed: &str) -> Option<usize> {
    printed.lines().find_map(|line| line.strip_suffix(" nodes were visited")?.parse().ok())
}

/// How many nodes must be visited. In a tree that leans to the left, all branches stand before the
/// first leaf. In one that leans to the right, one branch stands before each leaf but the last.
fn least(first: &[u32], second: &[u32]) -> usize {
    let leaves = first.iter().zip(second).take_while(|(one, two)| one == two).count() + 1;
    let left = first.len() - 1 + leaves.min(first.len());
    let right = leaves.min(second.len()) + leaves.min(second.len() - 1);
    left + right
}
