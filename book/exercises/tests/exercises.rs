//! What is asked for isn't there yet, and the answers have it.

use exercises::checks::{ALL, Exercise};
use exercises::solution::Solution;

/// Those that can be checked on this machine.
fn here() -> impl Iterator<Item = &'static Exercise> {
    ALL.iter().filter(|exercise| {
        let missing = exercise.missing();
        if let Some(why) = &missing {
            eprintln!("skipped: {why}");
        }
        missing.is_none()
    })
}

#[test]
fn what_readers_start_from_compiles_and_does_not_pass() {
    for exercise in here() {
        let solution = Solution::of_reader(exercise.name);
        let wrong = (exercise.check)(&solution).expect_err(&format!("{} passes", solution.file()));
        assert!(!wrong.contains("doesn't compile"), "{wrong}");
    }
}

#[test]
fn answers_pass() {
    for exercise in here() {
        let solution = Solution::of_book(exercise.name);
        if let Err(wrong) = (exercise.check)(&solution) {
            panic!("{}: {wrong}", solution.file());
        }
    }
}
