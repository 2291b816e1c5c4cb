//! What a panic has said.

use crate::solution::{Profile, Solution, Verdict, compare};

pub(super) fn check(solution: &Solution) -> Verdict {
    let expected = "no panic\nno more coffee\nno more coffee for 2\nsomething else\n";
    let printed = solution.prints(Profile::Debug, &[])?;
    compare(expected, &printed).map_err(|wrong| {
        let lines: Vec<&str> = printed.lines().collect();
        let hint = match lines[..] {
            [_, "something else", "something else", _] => {
                "\nNo text is found. What lies in the box is asked for its type, and not the box itself, which is an `Any`, \
                 too:\n`payload.downcast_ref::<&str>()`, or `payload.downcast::<&str>()`, and not \
                 `(&payload as &dyn Any)`."
            }
            [_, _, "something else", _] => {
                "\n`panic!` with a text alone gives a `&'static str`. With something to be put in, it has to make the text, \
                 and gives a `String`."
            }
            [_, "something else", ..] => "\n`panic!` with a text alone gives a `&'static str`, and no `String`.",
            _ => "",
        };
        wrong + hint
    })?;
    Ok("Texts of both types are told, and what is no text does no harm.".to_owned())
}
