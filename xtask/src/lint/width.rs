//! Comments are narrower than code may be: prose is hard to read in long lines.
//!
//! Lines that can't be broken may be wider: a single word, a row of a table, a line of a block of
//! code.

use super::{sources, tokens};
use crate::complaints::{Outcome, outcome};
use crate::repo::Repo;

/// The last column that a comment may reach.
const WIDEST: usize = 100;

pub(super) fn check(repo: &Repo) -> Outcome {
    let sources = sources::all(repo)?;
    let complaints = sources.iter().flat_map(|source| {
        let wide = wide_comments(&source.text).into_iter();
        wide.map(|(line, width)| format!("{}:{line}: the comment reaches column {width}", source.name))
    });
    outcome(complaints.collect(), || format!("the comments of {} files", sources.len()))
}

/// The lines of comments that are too wide, each with its width.
fn wide_comments(text: &str) -> Vec<(usize, usize)> {
    let mut wide = Vec::new();
    let (mut is_code, mut last_line) = (false, 0);
    for comment in tokens::line_comments(text) {
        // A block of code ends where its comment does.
        is_code &= comment.line == last_line + 1;
        last_line = comment.line;
        let content = comment.text.trim_start_matches(['/', '!']).trim();
        if content.starts_with("```") {
            is_code = !is_code;
        } else if comment.width > WIDEST && !is_code && can_be_broken(content) {
            wide.push((comment.line, comment.width));
        }
    }
    wide
}

fn can_be_broken(content: &str) -> bool {
    !content.starts_with('|') && content.split_whitespace().skip_while(|word| is_marker(word)).count() > 1
}

/// Whether a word begins an item of a list, a quotation, or the address of a link.
fn is_marker(word: &str) -> bool {
    let is_number = |word: &str| word.chars().all(|it| it.is_ascii_digit());
    matches!(word, "-" | "*" | ">")
        || word.strip_suffix('.').is_some_and(is_number)
        || (word.starts_with('[') && word.ends_with("]:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(text: &str) -> Vec<usize> {
        wide_comments(text).into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn wide_comments_are_found() {
        let prose = "word ".repeat(19);
        let comments = ["//", "///", "//!"].map(|kind| format!("{kind} {prose}is\n{kind} {prose}wider\n"));
        // The first line of each kind reaches at most to column 101.
        assert_eq!(wide_comments(&comments[0]), [(2, 103)]);
        assert_eq!(wide_comments(&comments[1]), [(1, 101), (2, 104)]);
        assert_eq!(wide_comments(&comments[2]), [(1, 101), (2, 104)]);
        assert_eq!(wide_comments(&format!("    // {prose}is")), [(1, 104)]);
        assert_eq!(lines_of(&format!("// {}is", "wörd ".repeat(19))), []);
    }

    #[test]
    fn what_is_no_prose_may_be_wider() {
        let wide = "x ".repeat(60);
        let address = format!("https://{}", "x".repeat(100));
        assert_eq!(lines_of(&format!("/// {address}\n/// - {address}\n/// [`x`]: {address}\n")), []);
        assert_eq!(lines_of(&format!("/// See {address}\n")), [1]);
        assert_eq!(lines_of(&format!("/// | {wide} |\n")), []);
        assert_eq!(lines_of(&format!("/// ```text\n/// {wide}\n/// ```\n/// {wide}\n")), [4]);
        assert_eq!(lines_of(&format!("/// ```\nfn f() {{}}\n/// {wide}\n")), [3]);
        assert_eq!(lines_of(&format!("const TEXT: &str = \"\n// {wide}\n\";\nlet x = 1; // {wide}\n")), []);
    }
}
