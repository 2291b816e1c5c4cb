//! Rust's tokens, as far as they are needed to tell names from strings and comments.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a keyword or a number.
    Word,
    /// A sign of punctuation: a single character, or `::`.
    Mark,
    /// A string or a character, with its quotes.
    Text,
    Comment,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) line: usize,
    /// The byte at which it begins.
    start: usize,
}

impl Token<'_> {
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && self.text == text
    }
}

/// All but comments.
pub(super) fn code(text: &str) -> Vec<Token<'_>> {
    all(text).filter(|token| token.kind != Kind::Comment).collect()
}

/// A line that is a comment.
pub(super) struct LineComment<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
    /// The column that it reaches.
    pub(super) width: usize,
}

/// The comments that have lines of their own and begin with `//`.
pub(super) fn line_comments(text: &str) -> impl Iterator<Item = LineComment<'_>> {
    all(text).filter(|token| token.kind == Kind::Comment && token.text.starts_with("//")).filter_map(
        |token| {
            let before = &text[..token.start];
            let indent = &before[before.rfind('\n').map_or(0, |end| end + 1)..];
            let width = indent.chars().count() + token.text.chars().count();
            indent.trim().is_empty().then_some(LineComment { text: token.text, line: token.line, width })
        },
    )
}

fn all(text: &str) -> impl Iterator<Item = Token<'_>> {
    let (mut start, mut line) = (0, 1);
    std::iter::from_fn(move || {
        while start < text.len() {
            let (kind, length) = first(&text[start..]);
            let token = kind.map(|kind| Token { kind, text: &text[start..start + length], line, start });
            line += text[start..start + length].matches('\n').count();
            start += length;
            if token.is_some() {
                return token;
            }
        }
        None
    })
}

/// The token that a text begins with, and its length. Spaces and lifetimes are no tokens.
fn first(text: &str) -> (Option<Kind>, usize) {
    let is_of_word = |it: char| it == '_' || it.is_alphanumeric();
    let word_from = |from: usize| from + length_while(&text[from..], is_of_word);
    let mut characters = text.chars();
    let first = characters.next().unwrap_or_default();
    if text.starts_with("//") {
        (Some(Kind::Comment), length_while(text, |it| it != '\n'))
    } else if text.starts_with("/*") {
        (Some(Kind::Comment), block_comment(text))
    } else if let Some(length) = string(text) {
        (Some(Kind::Text), length)
    } else if first == '\'' {
        match (characters.next(), characters.next()) {
            // The escaped character may be a quote.
            (Some('\\'), Some(it)) => {
                let from = 2 + it.len_utf8();
                (Some(Kind::Text), from + length_while(&text[from..], |it| it != '\'') + 1)
            }
            (Some(it), Some('\'')) => (Some(Kind::Text), 2 + it.len_utf8()),
            _ => (None, word_from(1)),
        }
    } else if is_of_word(first) {
        (Some(Kind::Word), word_from(if text.starts_with("r#") { 2 } else { 0 }))
    } else if first.is_whitespace() {
        (None, length_while(text, char::is_whitespace))
    } else {
        (Some(Kind::Mark), if text.starts_with("::") { 2 } else { first.len_utf8() })
    }
}

fn length_while(text: &str, is_inside: impl Fn(char) -> bool) -> usize {
    text.find(|it| !is_inside(it)).unwrap_or(text.len())
}

/// The length of the comment, in which others may lie.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        let rest = &text[at..];
        let opens = rest.starts_with("/*");
        if opens || rest.starts_with("*/") {
            depth = if opens { depth + 1 } else { depth - 1 };
            at += 2;
        } else {
            at += rest.chars().next().map_or(0, char::len_utf8);
        }
        if depth == 0 || at == text.len() {
            return at;
        }
    }
}

/// The length of the string that a text begins with.
fn string(text: &str) -> Option<usize> {
    let prefix = length_while(text, |it| "bcr".contains(it));
    let is_raw = matches!(&text[..prefix], "r" | "br" | "cr");
    if !is_raw && !matches!(&text[..prefix], "" | "b" | "c") {
        return None;
    }
    let hashes = if is_raw { length_while(&text[prefix..], |it| it == '#') } else { 0 };
    let begin = prefix + hashes + 1;
    let inside = text[prefix + hashes..].strip_prefix('"')?;
    if is_raw {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(inside.find(&end).map_or(text.len(), |at| begin + at + end.len()));
    }
    let mut is_escaped = false;
    let end = inside.find(|it| {
        let ends = it == '"' && !is_escaped;
        is_escaped = it == '\\' && !is_escaped;
        ends
    });
    Some(end.map_or(text.len(), |at| begin + at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(text: &str) -> Vec<&str> {
        code(text).into_iter().filter(|token| token.kind == Kind::Word).map(|token| token.text).collect()
    }

    #[test]
    fn comments_strings_and_lifetimes_have_no_names() {
        assert_eq!(words_of("a // b\n/* c /* d */ e */ f"), ["a", "f"]);
        assert_eq!(
            words_of(r##"a "b \" c" d r#"e " f"# g b"h" br"i\" j "\\" k"##),
            ["a", "d", "g", "j", "k"]
        );
        assert_eq!(
            words_of(r"a<'b> 'c' d '\'' e '\u{1F}' f '\\' g b'h' 'ö' i"),
            ["a", "d", "e", "f", "g", "b", "i"]
        );
        assert_eq!(words_of("rust::r#type b_c bc"), ["rust", "r#type", "b_c", "bc"]);
    }

    #[test]
    fn tokens_know_their_lines() {
        let text = "a\n\"b\nc\"\n/* d\n*/ e::f\n";
        let lines: Vec<_> = code(text).into_iter().map(|token| (token.text, token.line)).collect();
        assert_eq!(lines, [("a", 1), ("\"b\nc\"", 2), ("e", 5), ("::", 5), ("f", 5)]);
    }
}
