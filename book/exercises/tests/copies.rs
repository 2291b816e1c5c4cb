//! Exercises that go on from a listing have its functions, letter for letter.

use std::path::Path;

/// The listing from `first` on, until `last`, and without the lines that are there for the book.
fn part(listing: &str, first: &str, last: &str) -> String {
    let source = read(&Path::new("../listings").join(listing));
    let lines: Vec<&str> = source.lines().filter(|line| !line.contains("ANCHOR")).collect();
    let place = |wanted: &str| lines.iter().position(|line| line.starts_with(wanted)).expect(wanted);
    lines[place(first)..place(last)].join("\n")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the file is there")
}

#[track_caller]
fn assert_in(part: &str, chapter: &str) {
    for file in [format!("examples/chapter-{chapter}.rs"), format!("examples/answer-{chapter}.rs")] {
        assert!(read(Path::new(&file)).contains(part), "{file} differs from the listing");
    }
}

#[test]
fn chapter_5_has_the_switch_of_there_and_back() {
    let listing = "the-switch/src/bin/there-and-back.rs";
    assert_in(&part(listing, "/// A stack that was left", "#[cfg(any(windows"), "05");
}

#[test]
fn chapter_6_has_the_two_hundred_lines() {
    assert_in(&part("two-hundred-lines/src/main.rs", "struct Thread", "// Left out"), "06");
}
