//! A gauge for stacks.

use crate::solution::{Profile, Solution, Verdict};

/// The array in the program, of which one word is written.
const HOLE: usize = 8000;
/// The whole stack.
const ALL: usize = 32 * 1024 * 8;

pub(super) fn check(solution: &Solution) -> Verdict {
    let printed = solution.prints(Profile::Debug, &[])?;
    let bytes = |what: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(what)?.strip_suffix(" bytes"));
        line.and_then(|bytes| bytes.parse::<usize>().ok()).ok_or_else(|| {
            format!("There should be a line `{what}… bytes`, with a number. The whole output:\n{printed}")
        })
    };
    let (ten, hundred, thousand) = (bytes("depth 10: ")?, bytes("depth 100: ")?, bytes("depth 1000: ")?);
    let hole = bytes("depth 10, with a hole: ")?;
    if [ten, hundred, thousand].contains(&0) {
        return Err("A call leaves something on its stack, and the gauge says 0 bytes.".to_owned());
    }
    if [ten, hundred, thousand].contains(&ALL) {
        return Err(format!(
            "The gauge says {ALL} bytes, the whole stack: is all of it painted, beforehand?"
        ));
    }
    if (hundred - ten.min(hundred)) * 10 != thousand - hundred.min(thousand) {
        return Err(format!(
            "Each call of a function has a frame of the same size. For 10, 100 and 1000 calls the gauge says {ten}, \
             {hundred} and {thousand} bytes:\nthat doesn't fit."
        ));
    }
    if hole < HOLE {
        return Err(format!(
            "The last call has an array of {HOLE} bytes, of which it writes the deepest word only, and the gauge says \
             {hole} bytes.\nWords between others that still have their paint belong to the stack all the same: look for \
             the deepest one that has lost it."
        ));
    }
    Ok(format!(
        "The gauge finds the deepest word, with a hole above it or without: {} bytes a call.",
        (hundred - ten) / 90
    ))
}
