//! The answers pass. The files that readers start from compile and don't pass.

use exercises::checks;
use exercises::solution::Solution;

use crate::complaints::{Outcome, outcome};
use crate::repo::Repo;

pub(super) fn check(_repo: &Repo) -> Outcome {
    let (mut complaints, mut absent) = (Vec::new(), String::new());
    for exercise in checks::ALL {
        if let Some(why) = exercise.missing() {
            absent += &format!("; SKIPPED {why}");
            continue;
        }
        let (reader, answer) = (Solution::of_reader(exercise.name), Solution::of_book(exercise.name));
        match (exercise.check)(&reader) {
            Ok(_) => complaints.push(format!("{}: passes as it is", reader.file())),
            Err(wrong) if wrong.contains("doesn't compile") => complaints.push(wrong),
            Err(_) => {}
        }
        if let Err(wrong) = (exercise.check)(&answer) {
            complaints.push(format!("{}: {wrong}", answer.file()));
        }
    }
    outcome(complaints, || format!("{} exercises, and an answer to each{absent}", checks::ALL.len()))
}
