//! A mailbox that wakes its readers.

use crate::solution::{Profile, Solution, Verdict, indented};

struct Case {
    what: &'static str,
    readers: &'static [&'static str],
    letters: &'static [&'static str],
    /// So many polls are enough.
    most: usize,
    /// What may be wrong if a letter is left.
    hint: &'static str,
}

const CASES: [Case; 3] = [
    Case {
        what: "two",
        readers: &["reader one", "reader two"],
        letters: &["1", "2"],
        most: 6,
        hint: "Two readers wait. Is there room for both of their wakers, does `send` wake those who wait, and \
               does a reader that was woken for nothing leave its waker again?",
    },
    Case {
        what: "taken",
        readers: &["main", "reader"],
        letters: &["1", "2"],
        most: 4,
        hint: "The reader was woken, and its letter was gone. Has it left its waker again?",
    },
    Case {
        what: "dropped",
        readers: &["reader"],
        letters: &["1"],
        most: 3,
        hint: "The first one to leave its waker was dropped. If `send` wakes only that one, the letter lies \
               there, and the reader behind it sleeps. Either wake all who wait, or take the waker out when \
               its future is dropped.",
    },
];

pub(super) fn check(solution: &Solution) -> Verdict {
    for Case { what, readers, letters, most, hint: why } in CASES {
        let printed = solution.prints(Profile::Debug, &[what]).map_err(|wrong| {
            let is_borrowed =
                wrong.contains("already borrowed") || wrong.contains("already mutably borrowed");
            let hint =
                if is_borrowed { "\nWhat is still borrowed while a waker is called or left?" } else { "" };
            format!("`{what}`: {wrong}{hint}")
        })?;
        let wrong = |what_is: &str| format!("`{what}`: {what_is}\nIt printed:\n{}", indented(&printed));
        let pairs: Vec<(&str, &str)> = printed.lines().filter_map(|line| line.split_once(": ")).collect();
        let Some((("polls", polls), read)) = pairs.split_last() else {
            return Err(wrong("the last line should be the number of polls."));
        };
        // Whoever is woken first may read first.
        let all_have = |wanted: &[&str], found: &dyn Fn(&str) -> bool| wanted.iter().all(|it| found(it));
        if read.len() != readers.len()
            || !all_have(readers, &|it| read.iter().any(|(reader, _)| *reader == it))
            || !all_have(letters, &|it| read.iter().any(|(_, letter)| *letter == it))
        {
            return Err(wrong(&format!("not all have read their letter. {why}")));
        }
        let polls: usize = polls.parse().map_err(|_| wrong("the number of polls is no number."))?;
        if polls > most {
            return Err(wrong(&format!(
                "{polls} polls, where {most} are enough. Does `receive` ask again and again? It should leave \
                 its waker, `context.waker().clone()`, and return `Poll::Pending`."
            )));
        }
    }
    Ok("Nobody asks, and nobody is forgotten.".to_owned())
}
