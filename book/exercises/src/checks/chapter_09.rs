//! Which stack a fault belongs to.

use crate::solution::{Profile, Solution, Verdict, compare};

const BASE: usize = 0x7000_0000;
const GUARD: usize = 0x1000;
const STACK: usize = 0x4000;
const COUNT: usize = 3;

pub(super) fn check(solution: &Solution) -> Verdict {
    const STRIDE: usize = GUARD + STACK;
    let tries = [
        ("the first byte of the first guard", BASE, Some(0)),
        ("the last byte of the first guard", BASE + GUARD - 1, Some(0)),
        ("the first byte of the first stack", BASE + GUARD, None),
        ("the last byte of the first stack", BASE + STRIDE - 1, None),
        ("the first byte of the second guard", BASE + STRIDE, Some(1)),
        ("the last byte of the last guard", BASE + 2 * STRIDE + GUARD - 1, Some(2)),
        ("the first byte behind the region", BASE + COUNT * STRIDE, None),
        ("a byte far behind the region", BASE + 1000 * STRIDE, None),
        ("the last byte before the region", BASE - 1, None),
        ("a null pointer", 0, None),
        ("the highest address of all", usize::MAX, None),
    ];
    for (what, address, stack) in tries {
        let mut arguments =
            vec![BASE, GUARD, STACK, COUNT, address].into_iter().map(|number| number.to_string());
        let arguments: [String; 5] = std::array::from_fn(|_| arguments.next().unwrap_or_default());
        let expected = match stack {
            Some(stack) => format!("{address}: stack {stack} has overflowed\n"),
            None => format!("{address}: not ours\n"),
        };
        let context = |wrong| {
            let region = format!("Base {BASE}, guards of {GUARD} bytes, {COUNT} stacks of {STACK} bytes");
            format!("{region}; the address is that of {what}.\n{wrong}")
        };
        let printed = solution.prints(Profile::Debug, &arguments.each_ref().map(String::as_str));
        compare(&expected, &printed.map_err(context)?).map_err(context)?;
    }
    Ok("Each guard is known to be its stack's, and nothing else is taken for one.".to_owned())
}
