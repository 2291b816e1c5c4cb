//! Files use each other in one direction, so that each can be understood after those below it.
//!
//! A file uses another one if it names an item that the other one defines. Calls of methods are not
//! seen, since only the compiler knows whose method it is. A file that only re-exports names uses
//! nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::names::{self, Uses};
use super::{modules, sources};
use crate::complaints::{Complaints, Outcome, outcome};
use crate::repo::Repo;

/// The roots of the crates that are looked at.
const ROOTS: &[&str] = &[
    "crates/context/src/lib.rs",
    "crates/greenthread/src/lib.rs",
    "crates/async/src/lib.rs",
    "crates/foreign/src/lib.rs",
    "crates/http/src/lib.rs",
    "crates/tokio/src/lib.rs",
    "xtask/src/main.rs",
    "bench/run/src/main.rs",
];

pub(super) fn check(repo: &Repo) -> Outcome {
    let sources = sources::all(repo)?;
    let files: BTreeMap<&str, &str> = sources.iter().map(|source| (&*source.name, &*source.text)).collect();
    let (mut complaints, mut count) = (Complaints::new(), 0);
    for root in ROOTS {
        let uses = names::uses(&modules::of_crate(&files, root));
        count += uses.len();
        complaints.extend(circles(&uses).iter().map(|circle| described(circle, &uses)));
    }
    outcome(complaints, || format!("{count} uses of one file by another in {} crates", ROOTS.len()))
}

/// The strongly connected components that have more than one file.
fn circles(uses: &Uses) -> Vec<BTreeSet<&str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        uses.keys().map(|(user, _)| (&**user, reached_from(user, uses))).collect();
    let mut circles = Vec::new();
    for (file, others) in &reached {
        let circle: BTreeSet<&str> = others
            .iter()
            .filter(|other| reached.get(**other).is_some_and(|back| back.contains(file)))
            .copied()
            .collect();
        // Each file of a component finds the same component.
        if circle.first() == Some(file) {
            circles.push(circle);
        }
    }
    circles
}

/// The files that a file uses, straight or through others. It is one of them if it is in a circle.
fn reached_from<'a>(file: &str, uses: &'a Uses) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![file];
    while let Some(user) = waiting.pop() {
        for (_, used) in uses.keys().filter(|(from, _)| from == user) {
            if reached.insert(&**used) {
                waiting.push(used);
            }
        }
    }
    reached
}

/// A circle, with each use that is part of it.
fn described(circle: &BTreeSet<&str>, uses: &Uses) -> String {
    let mut text = format!("{} files use each other:\n", circle.len());
    for ((user, used), (line, name)) in uses {
        if circle.contains(&**user) && circle.contains(&**used) {
            writeln!(text, "{user}:{line}: uses `{name}` of {used}").expect("a string takes all");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
        let uses = names::uses(&modules::of_crate(&files.iter().copied().collect(), "lib.rs"));
        circles(&uses).iter().map(|circle| described(circle, &uses)).collect()
    }

    #[test]
    fn circles_are_found() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\nmod c;\nmod d;\nuse a::A;"),
            ("a.rs", "use crate::b::B;\npub struct A;"),
            ("b.rs", "pub struct B;\n\nfn f(_: &super::c::C) {}"),
            ("c.rs", "use super::*;\npub struct C(a::A, d::D);"),
            ("d.rs", "pub struct D;"),
        ];
        assert_eq!(
            circles_of(&files),
            [
                "3 files use each other:\na.rs:1: uses `B` of b.rs\nb.rs:3: uses `C` of c.rs\nc.rs:2: uses `A` of a.rs\n"
            ]
        );
        assert_eq!(circles_of(&files[..3]), Vec::<String>::new());
    }

    #[test]
    fn circles_apart_are_told_apart() {
        let found = circles_of(&[
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "fn a() { crate::b::b(); crate::c::c() }"),
            ("b.rs", "fn b() { super::a::a() }"),
            ("c.rs", "fn c() { super::d::d() }"),
            ("d.rs", "fn d() { crate::c::c() }"),
        ]);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|circle| circle.starts_with("2 files")), "{found:?}");
    }

    #[test]
    fn our_own_files_are_in_no_circle() {
        let complaints = check(&Repo::here()).err().unwrap_or_default();
        let ours: Vec<_> =
            complaints.iter().filter(|it| it.contains("\nxtask/") || it.contains("\nbench/")).collect();
        assert!(ours.is_empty(), "{ours:?}");
    }
}
