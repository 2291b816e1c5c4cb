//! Each numbered chapter has the parts that the introduction announces: programs, a debugger
//! session, a figure, and an exercise with its answer.

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
        if checks::ALL.iter().all(|exercise| exercise.name != number.to_string()) {
            complaints.push(format!("book/exercises: nothing checks the exercise of chapter {number}"));
        }
    }
    outcome(complaints, || format!("{count} chapters, each with programs, a session, a figure, an exercise"))
}

fn missing(text: &str, number: u32, answers: &str) -> Complaints {
    let wanted = [
        (text, "#include ../listings/".to_owned(), "shows no program"),
        (text, format!("#include ../gdb/chapter-{number:02}.txt}}"), "shows no debugger session"),
        (text, format!("#include ../measured/chapter-{number:02}.txt"), "shows no figure"),
        (text, "\n## Exercise\n".to_owned(), "has no exercise"),
        (
            text,
            format!("cargo run -p exercises -- check {number}\n"),
            "doesn't say how to check the exercise",
        ),
        (answers, format!("/examples/answer-{number:02}.rs}}"), "has no answer in d-answers.md"),
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
        assert_eq!(missing("# A\n", 3, "").len(), 6);
        let text = "{{#include ../listings/a/src/main.rs}}\n{{#include ../gdb/chapter-03.txt}}\n\
                    {{#include ../measured/chapter-03.txt}}\n\n## Exercise\n\ncargo run -p exercises -- check 3\n";
        assert_eq!(missing(text, 3, "{{#include ../exercises/examples/answer-03.rs}}"), Complaints::new());
        assert_eq!(missing(text, 4, "").len(), 4);
    }
}
