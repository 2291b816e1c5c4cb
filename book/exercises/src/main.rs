//! Checks the exercises of the book: `cargo run -p exercises -- check 5`.

use std::process::ExitCode;

use exercises::checks::{ALL, Exercise};
use exercises::solution::Solution;

const USAGE: &str = "\
usage: cargo run -p exercises -- check CHAPTER            your program, examples/chapter-NN.rs
       cargo run -p exercises -- check CHAPTER --answer   the book's answer, examples/answer-NN.rs
       cargo run -p exercises -- check all [--answer]     those of all chapters";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (which, answer) = match arguments[..] {
        ["check", which] => (which, false),
        ["check", which, "--answer"] => (which, true),
        _ => return refuse(USAGE),
    };
    let chosen: Vec<&Exercise> = if which == "all" {
        ALL.iter().collect()
    } else {
        ALL.iter().filter(|exercise| which.parse() == Ok(exercise.chapter)).collect()
    };
    if chosen.is_empty() {
        let chapters: Vec<String> = ALL.iter().map(|exercise| exercise.chapter.to_string()).collect();
        return refuse(&format!("There is an exercise in the chapters {}.\n{USAGE}", chapters.join(", ")));
    }
    let mut all_pass = true;
    for exercise in chosen {
        all_pass &= passes(exercise, answer);
    }
    if all_pass { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn passes(exercise: &Exercise, answer: bool) -> bool {
    let of = if answer { Solution::of_book } else { Solution::of_reader };
    let solution = of(exercise.chapter);
    match (exercise.check)(&solution) {
        Ok(praise) => println!("chapter {}: passed. {praise}", exercise.chapter),
        Err(wrong) => {
            println!("chapter {}: not yet. {}\n{wrong}\n", exercise.chapter, solution.file());
            return false;
        }
    }
    true
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(2)
}
