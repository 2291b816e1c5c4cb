//! A stack that is moved, with a map of its addresses.

use crate::solution::{Profile, Solution, Verdict, compare};

/// A stack before it moves. Numbers are `Err`, and addresses are `Ok`.
struct Case {
    what: &'static str,
    low: usize,
    high: usize,
    new_low: usize,
    new_high: usize,
    mailbox: Option<usize>,
    words: &'static [Result<usize, usize>],
}

const CASES: &[Case] = &[
    Case {
        what: "Nothing but numbers",
        low: 100,
        high: 108,
        new_low: 200,
        new_high: 216,
        mailbox: None,
        words: &[Err(1), Err(2), Err(3)],
    },
    Case {
        what: "A full stack with addresses into itself, and one of something on the heap",
        low: 100,
        high: 104,
        new_low: 200,
        new_high: 208,
        mailbox: None,
        words: &[Ok(103), Ok(100), Ok(150), Err(7)],
    },
    Case {
        what: "A number that looks like an address of the stack",
        low: 100,
        high: 104,
        new_low: 200,
        new_high: 208,
        mailbox: None,
        words: &[Ok(102), Err(103), Err(102)],
    },
    Case {
        what: "A thread that waits for a message, to be left on its stack",
        low: 100,
        high: 104,
        new_low: 200,
        new_high: 208,
        mailbox: Some(103),
        words: &[Ok(103), Err(0)],
    },
    Case {
        what: "A thread that waits for a message, to be left on the heap",
        low: 100,
        high: 104,
        new_low: 200,
        new_high: 208,
        mailbox: Some(300),
        words: &[Ok(300), Err(0)],
    },
    Case {
        what: "A new stack below the old one, and an address just behind the old one",
        low: 300,
        high: 304,
        new_low: 20,
        new_high: 28,
        mailbox: None,
        words: &[Ok(301), Ok(304), Ok(299)],
    },
];

impl Case {
    fn arguments(&self) -> Vec<String> {
        let places = [self.low, self.high - self.words.len(), self.high, self.new_low, self.new_high];
        let mailbox = self.mailbox.map_or("none".to_owned(), |it| it.to_string());
        let words = self.words.iter().map(|word| match word {
            Ok(address) => format!("@{address}"),
            Err(number) => format!("#{number}"),
        });
        places.iter().map(usize::to_string).chain([mailbox]).chain(words).collect()
    }

    /// What is printed if addresses are moved by one function, numbers by another, and the mailbox
    /// by a third.
    fn printed(
        &self,
        address: impl Fn(usize) -> usize,
        number: impl Fn(usize) -> usize,
        mailbox: impl Fn(usize) -> usize,
    ) -> String {
        let sp = self.new_high - self.words.len();
        let mut text = format!("from {} to {}, in use from {sp}\n", self.new_low, self.new_high);
        for word in self.words {
            text += &match *word {
                Ok(it) => format!("@{}\n", address(it)),
                Err(it) => format!("#{}\n", number(it)),
            };
        }
        match self.mailbox {
            Some(it) => text + &format!("mailbox @{}\n", mailbox(it)),
            None => text + "no mailbox\n",
        }
    }

    /// What the printed text tells of a mistake that we know.
    fn hint(&self, printed: &str) -> Option<&'static str> {
        let same = |it: usize| it;
        let moved = |it: usize| it.wrapping_add(self.new_high).wrapping_sub(self.high);
        let right = |it: usize| if (self.low..self.high).contains(&it) { moved(it) } else { it };
        let by_low = |it: usize| it.wrapping_add(self.new_low).wrapping_sub(self.low);
        let sp = by_low(self.high - self.words.len());
        let first = printed.lines().next().unwrap_or_default();
        let known = [
            (
                self.printed(right, right, right),
                "Numbers were changed, too. The map says which words are addresses.",
            ),
            (
                self.printed(moved, same, right),
                "Addresses of things that aren't on the stack were changed. They haven't moved.",
            ),
            (
                self.printed(same, same, same),
                "The words have arrived, and the addresses still lead to the old stack.",
            ),
            (
                self.printed(same, same, right),
                "The words have arrived, and the addresses still lead to the old stack.",
            ),
            (
                self.printed(right, same, same),
                "The mailbox is still on the old stack: the message would be left where nobody reads it.",
            ),
            (self.printed(right, same, moved), "The mailbox was on the heap, which hasn't moved."),
            (
                self.printed(
                    |it| if (self.low..self.high).contains(&it) { by_low(it) } else { it },
                    same,
                    right,
                ),
                "An address keeps its distance from `high`, as the words do.",
            ),
            (
                self.printed(
                    |it| if (self.low..=self.high).contains(&it) { moved(it) } else { it },
                    same,
                    right,
                ),
                "`high` is the first address that doesn't belong to the stack. Something else may lie there.",
            ),
        ];
        let known = known.into_iter().find(|(text, _)| text == printed).map(|(_, hint)| hint);
        known.or_else(|| {
            first.ends_with(&format!(" in use from {sp}")).then_some(
                "The words keep their distance from `high`: a stack grows downwards, and what it has \
                 gained must lie below them.",
            )
        })
    }
}

pub(super) fn check(solution: &Solution) -> Verdict {
    for case in CASES {
        let arguments = case.arguments();
        let context = |wrong: String| format!("{}: {}\n{wrong}", case.what, arguments.join(" "));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let printed = solution.prints(Profile::Debug, &arguments).map_err(|wrong| {
            let hint = if wrong.contains("with overflow") {
                "Has something been moved that isn't on the old stack? What lies on the heap stays there.\n"
            } else {
                ""
            };
            context(format!("{hint}{wrong}"))
        })?;
        let moved = |it: usize| {
            if (case.low..case.high).contains(&it) { it + case.new_high - case.high } else { it }
        };
        let expected = case.printed(moved, |it| it, moved);
        compare(&expected, &printed).map_err(|wrong| {
            context(case.hint(&printed).map_or_else(|| wrong.clone(), |hint| format!("{hint}\n{wrong}")))
        })?;
    }
    Ok("It has moved, and nothing in it has noticed.".to_owned())
}
