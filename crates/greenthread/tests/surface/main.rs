//! Everything stable that std's modules have, by name and by signature: once with std, once with the library.
//!
//! The table is in `table/`, a file for a module. Nothing of it runs: what is missing, or differs from what std's
//! documentation says, fails to compile. `docs.rs` has made it from that documentation, as rustup installs it, and
//! `the_table_is_what_the_documentation_says` makes it again and compares, so that nothing can be forgotten. What the
//! library leaves out is listed, with the reason for each, in its crate documentation under "What std has that this
//! hasn't"; that list is read here as well, and those entries are expanded with std only.
//!
//! After a change of that list, `GREENTHREAD_WRITE_TABLE=1 cargo test -p greenthread --test surface` writes the table.

#![cfg(target_os = "linux")]
#![allow(dead_code, deprecated, unused_imports, reason = "a table, not a program")]
#![allow(unused_macros, reason = "perhaps nothing is left out")]
#![allow(
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    reason = "the signatures are std's, and nothing is called"
)]

mod docs;

use std::{collections::BTreeSet, env, fs, path::PathBuf};

/// A function with the signature that std's documentation gives, which calls the one that it describes; or a constant.
macro_rules! item {
    ($check:item) => {
        const _: () = { $check };
    };
}

/// A type implements a trait: `[generics] [conditions] type: trait`.
macro_rules! implements {
    ([$($generics:tt)*] [$($conditions:tt)*] $ty:ty: $($trait:tt)+) => {
        const _: () = {
            fn claim<$($generics)*>(_: &$ty) where $($conditions)* $ty: $($trait)+ {}
            fn check<$($generics)*>(it: &$ty) where $($conditions)* {
                claim(it);
            }
        };
    };
    ($($claim:tt)+) => {
        implements! { [] [] $($claim)+ }
    };
}

/// A type doesn't implement a trait, or else it wouldn't be known whose `some` is meant.
macro_rules! lacks {
    ($ty:ty: $trait:path) => {
        const _: () = {
            trait Some<A> {
                fn some() {}
            }
            struct Implements;
            impl<T: ?Sized> Some<()> for T {}
            impl<T: ?Sized + $trait> Some<Implements> for T {}
            fn check() {
                <$ty as Some<_>>::some();
            }
        };
    };
}

/// A type is std's very own: `[its parameters] the library's = std's`.
macro_rules! same {
    ([$($parameter:tt)*] $ours:ty = $std:ty) => {
        const _: () = {
            fn check<$($parameter)*>(it: *const $ours) -> *const $std {
                it
            }
        };
    };
}

/// A trait is std's very own.
macro_rules! same_trait {
    ($ours:path = $std:path) => {
        const _: () = {
            fn ours<T: $ours + ?Sized>() {
                std::<T>();
            }
            fn std<T: $std + ?Sized>() {
                ours::<T>();
            }
        };
    };
}

/// Expands the files of the table with a library.
macro_rules! expand {
    ($lib:ident: $($table:ident)*) => {
        $(
            mod $table {
                use $lib::*;
                include!(concat!("table/", stringify!($table), ".rs"));
            }
        )*
    };
}

mod with_std {
    macro_rules! left_out {
        ($($path:ident)::+; $($entry:tt)+) => {
            $($entry)+
        };
    }
    mod by_hand {
        use std::{thread_local, *};
        include!("by_hand.rs");
    }
    expand! { std: thread sync mpsc atomic net fs time io process os }
}

mod with_greenthread {
    macro_rules! left_out {
        ($($path:ident)::+; $($entry:tt)+) => {};
    }
    expand! { greenthread: mpsc atomic }
}

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
        let table = docs::table(&html, modules, &left_out());
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
