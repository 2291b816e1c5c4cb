//! A product of 128 bits, by inline assembly.

use crate::solution::{Profile, Solution, Verdict};

pub(super) fn check(solution: &Solution) -> Verdict {
    let pairs =
        [(6, 7), (1 << 32, 1 << 32), (u64::MAX, u64::MAX), (0, u64::MAX), (12_345_678_901, 9_876_543_210)];
    for profile in Profile::BOTH {
        for (first, second) in pairs {
            let product = u128::from(first) * u128::from(second);
            let expected = format!("{} {}", product >> 64, product & u128::from(u64::MAX));
            let printed = solution.prints(profile, &[&first.to_string(), &second.to_string()])?;
            if printed.trim() != expected {
                return Err(format!(
                    "{first} times {second}, built for {}: high and low half should be `{expected}`, and are `{}`.",
                    profile.name(),
                    printed.trim()
                ));
            }
        }
    }
    let source = solution.source()?;
    let code = || source.lines().filter(|line| !line.trim_start().starts_with("//"));
    if code().any(|line| line.contains("u128")) || !code().any(|line| line.contains("asm!(")) {
        return Err(
            "The results are right. Now let the processor do it, by `asm!`, without a `u128`.".to_owned()
        );
    }
    Ok("All 128 bits are right, in debug and in release.".to_owned())
}
