//! Checks the exercises of the book: `cargo run -p exercises -- check 5`.

use std::process::ExitCode;

use exercises::checks::{ALL, Exercise};
use exercises::solution::Solution;

const USAGE: &str = "\
usage: cargo run -p exercises -- check 5            your program, examples/chapter-05.rs
       cargo run -p exercises -- check 5b           the harder exercise, examples/chapter-05b.rs
       cargo run -p exercises -- check 5 --answer   the book's answer, examples/answer-05.rs
       cargo run -p exercises -- check all [--answer]";

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
        ALL.iter().filter(|exercise| which == exercise.name).collect()
    };
    if chosen.is_empty() {
        let names: Vec<&str> = ALL.iter().map(|exercise| exercise.name).collect();
        return refuse(&format!("There are these exercises: {}.\n{USAGE}", names.join(", ")));
    }
    let mut all_pass = true;
    for exercise in chosen {
        all_pass &= passes(exercise, answer);
    }
    if all_pass { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn passes(exercise: &Exercise, answer: bool) -> bool {
    let of = if answer { Solution::of_book } else { Solution::of_reader };
    let solution = of(exercise.name);
    match (exercise.check)(&solution) {
        Ok(praise) => println!("exercise {}: passed. {praise}", exercise.name),
        Err(wrong) => {
            println!("exercise {}: not yet. {}\n{wrong}\n", exercise.name, solution.file());
            return false;
        }
    }
    true
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(2)
}
