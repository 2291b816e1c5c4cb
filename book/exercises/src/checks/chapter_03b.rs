//! A sum of 256 bits, by inline assembly.

use crate::solution::{Profile, Solution, Verdict};

type Words = [u64; 4];

const MAX: u64 = u64::MAX;

pub(super) fn check(solution: &Solution) -> Verdict {
    let pairs: [(Words, Words); 6] = [
        ([1, 2, 3, 4], [10, 20, 30, 40]),
        ([MAX, 0, 0, 0], [1, 0, 0, 0]),
        ([MAX, MAX, MAX, 0], [1, 0, 0, 0]),
        ([MAX; 4], [1, 0, 0, 0]),
        ([MAX; 4], [MAX; 4]),
        ([0, MAX, 5, 1 << 63], [0, 1, 6, 1 << 63]),
    ];
    for profile in Profile::BOTH {
        for (first, second) in pairs {
            let arguments: Vec<String> = first.iter().chain(&second).map(u64::to_string).collect();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let printed = solution.prints(profile, &arguments)?;
            let expected = sum(first, second);
            if printed.trim() == expected {
                continue;
            }
            let hint = if carries(first, second) {
                "\nThe carry lives from one instruction to the next, inside one `asm!`. Does each of the four words get\n\
                 it, and does nothing stand in between that changes the flags?"
            } else {
                ""
            };
            return Err(format!(
                "{first:?} and {second:?}, built for {}: the sum should be `{expected}`, and is `{}`.{hint}",
                profile.name(),
                printed.trim()
            ));
        }
    }
    let source = solution.source()?;
    let mut code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    if !code.any(|line| line.contains("asm!(")) {
        return Err("The sums are right. Now let the processor carry, by `asm!`.".to_owned());
    }
    Ok("All 256 bits are right, in debug and in release.".to_owned())
}

fn carries(first: Words, second: Words) -> bool {
    first.iter().zip(second).any(|(one, two)| one.checked_add(two).is_none())
}

fn sum(first: Words, second: Words) -> String {
    let mut carry = 0;
    let words = std::array::from_fn::<String, 4, _>(|index| {
        let sum = u128::from(first[index]) + u128::from(second[index]) + carry;
        carry = sum >> 64;
        (sum & u128::from(MAX)).to_string()
    });
    format!("{} carry {carry}", words.join(" "))
}
