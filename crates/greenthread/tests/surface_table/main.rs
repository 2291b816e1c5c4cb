//! The table of the test `surface` is what std's documentation says, and what the library leaves
//! out is what its own documentation says.
//!
//! `docs.rs` makes the table from the documentation that rustup installs. After a change of what is
//! left out, `GREENTHREAD_WRITE_TABLE=1 cargo test -p greenthread --test surface_table` writes the
//! table anew.

#![cfg(target_os = "linux")]

mod docs;

use std::{collections::BTreeSet, env, fs, path::PathBuf};

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/surface/table", name].iter().collect::<PathBuf>().with_extension("rs")
}

/// The paths that the crate's documentation lists as left out.
fn left_out() -> Vec<String> {
    let docs = include_str!("../../src/lib.rs").lines().map_while(|line| line.strip_prefix("//!"));
    let docs = docs.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let section = docs.skip_while(|line| *line != "# What std has that this hasn't").skip(1);
    let section = section.take_while(|line| !line.starts_with("# "));
    let items = section.filter_map(|line| line.strip_prefix("* "));
    items
        .flat_map(|line| line.split(": ").next().expect("names").split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_table_is_what_the_documentation_says() {
    let Some(html) = docs::installed() else {
        eprintln!("skipped: the documentation of std 1.95 isn't installed");
        return;
    };
    for (name, modules) in docs::TABLES {
        let table = docs::table(&html, name, modules, &left_out());
        if env::var_os("GREENTHREAD_WRITE_TABLE").is_some() {
            fs::write(file(name), table).expect("a table");
            continue;
        }
        let committed = fs::read_to_string(file(name)).expect("a table");
        for (line, (committed, expected)) in committed.lines().zip(table.lines()).enumerate() {
            assert_eq!(committed, expected, "line {} of table/{name}.rs", line + 1);
        }
        assert_eq!(committed.len(), table.len(), "the length of table/{name}.rs");
    }
}

#[test]
fn all_of_the_table_is_expanded_with_both() {
    let all: Vec<_> = docs::TABLES.iter().map(|(name, _)| *name).collect();
    let stable: Vec<_> = all.iter().copied().filter(|name| *name != docs::NIGHTLY).collect();
    for (library, names) in [("std", stable), ("greenthread", all)] {
        let expansion = format!("expand! {{ {library}: {} }}", names.join(" "));
        assert!(include_str!("../surface/main.rs").contains(&expansion), "{expansion}");
    }
}

#[test]
fn what_is_left_out_is_listed_in_the_crates_documentation() {
    let mut found = BTreeSet::new();
    let mut entries = 0;
    for (name, _) in docs::TABLES {
        let table = fs::read_to_string(file(name)).expect("a table");
        entries += table.lines().filter(|line| line.contains("! {")).count();
        let lines = table.lines().filter_map(|line| line.strip_prefix("left_out! { "));
        found.extend(lines.map(|line| line.split(';').next().expect("a path").to_owned()));
    }
    println!("{entries} entries, {} left out", found.len());
    assert_eq!(found, left_out().into_iter().collect());
}
