//! Links to the Rust Playground that have a listing in them.

use std::fmt::Write;

use crate::chapter::anchor;

/// The longest address that servers are sure to take.
const LONGEST: usize = 8000;

/// The link to the Playground with a file's text in it. None if the file needs others, or is too
/// long for an address even without its comments.
pub(crate) fn link(text: &str) -> Option<String> {
    if !is_alone(text) {
        return None;
    }
    let address = |code: &str| {
        format!("https://play.rust-lang.org/?version=stable&mode=debug&edition=2024&code={}", encoded(code))
    };
    let lines: Vec<&str> = text.lines().filter(|line| anchor(line).is_none()).collect();
    let whole = address(&(lines.join("\n") + "\n"));
    if whole.len() <= LONGEST {
        return Some(whole);
    }
    let is_comment = |line: &&str| line.trim_start().starts_with("//");
    let bare: Vec<&str> = lines.into_iter().filter(|line| !is_comment(line)).collect();
    let bare = address(&(bare.join("\n") + "\n"));
    (bare.len() <= LONGEST).then_some(bare)
}

/// Whether it is a program that uses nothing but the standard library.
fn is_alone(text: &str) -> bool {
    let needs = |line: &str| {
        let line = line.trim_start();
        let used =
            line.strip_prefix("use ").map(|used| used.split([':', ';', ' ']).next().unwrap_or_default());
        used.is_some_and(|used| !matches!(used, "std" | "core" | "alloc" | "self" | "super" | "crate"))
            || (line.starts_with("mod ") && line.trim_end().ends_with(';'))
            || ["include!(", "include_str!(", "env!(", "measures::", "#[path"]
                .iter()
                .any(|it| line.contains(it))
    };
    text.lines().any(|line| line.starts_with("fn main()")) && !text.lines().any(needs)
}

/// The text as the value of a query, as a form has it.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => encoded.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'!' | b'*' | b'(' | b')' | b',' | b':' | b'/' => {
                encoded.push(char::from(byte));
            }
            byte => write!(encoded, "%{byte:02X}").expect("a string takes all"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_without_dependencies_has_a_link() {
        let link =
            link("// ANCHOR: all\nuse std::fs;\nfn main() { a(1 + 2); }\n// ANCHOR_END: all\n").unwrap();
        assert!(link.ends_with("&code=use+std::fs%3B%0Afn+main()+%7B+a(1+%2B+2)%3B+%7D%0A"), "{link}");
    }

    #[test]
    fn a_file_that_needs_others_has_none() {
        assert_eq!(link("use a_safe_face::run;\nfn main() {}\n"), None);
        assert_eq!(link("mod dive;\nfn main() {}\n"), None);
        assert_eq!(link("pub fn part() {}\n"), None);
        assert_eq!(link("fn main() { include!(\"a.rs\") }\n"), None);
    }

    #[test]
    fn a_long_one_goes_without_comments_or_not_at_all() {
        let comment = format!("// {}\n", "x".repeat(LONGEST));
        assert!(link(&format!("{comment}fn main() {{}}\n")).unwrap().len() < 200);
        assert_eq!(link(&format!("fn main() {{ {} }}\n", "x".repeat(LONGEST))), None);
    }
}
