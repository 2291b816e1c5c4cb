//! The stack that recursion takes.

use crate::solution::{Profile, Solution, Verdict};

pub(super) fn check(solution: &Solution) -> Verdict {
    let printed = solution.prints(Profile::Debug, &[]).map_err(|wrong| {
        let hint = if wrong.contains("`as usize` is invalid") || wrong.contains("as `usize` is invalid") {
            "\nA reference becomes a number by way of a raw pointer: `&raw const here as usize`."
        } else if wrong.contains("attempt to subtract with overflow") {
            "\nA stack grows downwards: the deeper call has the smaller address."
        } else {
            ""
        };
        wrong + hint
    })?;
    let [one, ten, hundred] = [1, 10, 100].map(|calls| bytes(&printed, calls));
    let (one, ten, hundred) = (one?, ten?, hundred?);
    if one == 0 {
        return Err("One call deep should be some bytes below `main`, and the program says 0.\n\
            Where does a variable of the deepest call lie? `&raw const it as usize` is its address."
            .to_owned());
    }
    if ten <= one || hundred <= ten {
        return Err(format!("The deeper, the more bytes; but it says {one}, {ten}, {hundred}."));
    }
    if (ten - one) * 10 != hundred - ten {
        return Err(format!(
            "Each call of a function has a frame of the same size. From 1 to 10 calls it's {} bytes for 9 frames,\n\
             and from 10 to 100 it's {} bytes for 90: that doesn't fit.",
            ten - one,
            hundred - ten
        ));
    }
    Ok(format!("Each call takes {} bytes of stack, in debug.", (ten - one) / 9))
}

fn bytes(printed: &str, calls: usize) -> Result<usize, String> {
    let before = format!("{calls} calls deep: ");
    let line = printed.lines().find_map(|line| line.strip_prefix(&before)?.strip_suffix(" bytes"));
    line.and_then(|bytes| bytes.parse().ok()).ok_or_else(|| {
        format!("There should be a line `{before}… bytes`, with a number. The whole output:\n{printed}")
    })
}
