//! Each numbered chapter has its number in the heading, and the parts that the introduction
//! announces: programs, a debugger session, a figure, a summary, and two exercises with their
//! answers.

use exercises::checks;

use crate::chapter::Chapter;
use crate::complaints::{Complaints, Outcome, outcome};
use crate::repo::Repo;

pub(super) fn check(repo: &Repo) -> Outcome {
    let chapters = Chapter::all(repo)?;
    let answers = repo.read(&repo.path("book/src/d-answers.md"))?;
    let (mut complaints, mut count) = (Vec::new(), 0);
    for chapter in &chapters {
        let name = chapter.path.file_name().unwrap_or_default().to_string_lossy();
        let Some(number) = name.get(..2).and_then(|digits| digits.parse::<u32>().ok()) else {
            continue;
        };
        count += 1;
        let missing = missing(&chapter.text, number, &answers);
        complaints.extend(missing.into_iter().map(|what| format!("{}: {what}", repo.name(&chapter.path))));
        for exercise in [format!("{number}"), format!("{number}b")] {
            if checks::ALL.iter().all(|known| known.name != exercise) {
                complaints.push(format!("book/exercises: nothing checks exercise {exercise}"));
            }
        }
    }
    outcome(complaints, || {
        format!("{count} chapters, each with programs, a session, a figure, two exercises")
    })
}

fn missing(text: &str, number: u32, answers: &str) -> Complaints {
    let wanted = [
        (text, format!("# {number}. "), "doesn't begin with its number"),
        (text, "#include ../listings/".to_owned(), "shows no program"),
        (text, format!("#include ../gdb/chapter-{number:02}.txt}}"), "shows no debugger session"),
        (text, format!("#include ../measured/chapter-{number:02}.txt"), "shows no figure"),
        (text, "\n## Summary\n".to_owned(), "has no summary"),
        (text, "\n## Exercise\n".to_owned(), "has no exercise"),
        (text, "\n## A harder exercise\n".to_owned(), "has no harder exercise"),
        (
            text,
            format!("\ncargo run -p exercises -- check {number}\n"),
            "doesn't say how to check the exercise",
        ),
        (
            text,
            format!("\ncargo run -p exercises -- check {number}b\n"),
            "doesn't say how to check the harder one",
        ),
        (answers, format!("/examples/answer-{number:02}.rs}}"), "has no answer in d-answers.md"),
        (
            answers,
            format!("/examples/answer-{number:02}b.rs}}"),
            "has no answer to the harder one in d-answers.md",
        ),
    ];
    let absent = wanted.into_iter().filter(|(text, wanted, _)| !text.contains(wanted));
    absent.map(|(_, wanted, complaint)| format!("{complaint}: `{}`", wanted.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_is_fine() {
        check(&Repo::here()).unwrap();
    }

    #[test]
    fn what_is_missing_is_found() {
        assert_eq!(missing("# A\n", 3, "").len(), 11);
        let text = "# 3. A\n\n{{#include ../listings/a/src/main.rs}}\n{{#include ../gdb/chapter-03.txt}}\n\
                    {{#include ../measured/chapter-03.txt}}\n\n## Summary\n\n## Exercise\n\n\
                    cargo run -p exercises -- check 3\n\n## A harder exercise\n\n\
                    cargo run -p exercises -- check 3b\n";
        let answers = "../exercises/examples/answer-03.rs}} ../exercises/examples/answer-03b.rs}}";
        assert_eq!(missing(text, 3, answers), Complaints::new());
        assert_eq!(missing(text, 4, "").len(), 7);
    }
}
