//! Only a port of `sys` speaks to the operating system.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::{self, Meaning, Module};
use super::sources;
use crate::complaints::{Outcome, outcome};
use crate::repo::Repo;

/// The crate that has ports, and their room.
const ROOT: &str = "crates/greenthread/src/lib.rs";
const ROOM: &str = "crates/greenthread/src/sys/";

/// The crates that are a system's, or nearly so.
const SYSTEM: [&str; 4] = ["io_uring", "libc", "rustix", "socket2"];

pub(super) fn check(repo: &Repo) -> Outcome {
    let sources = sources::all(repo)?;
    let files: BTreeMap<&str, &str> = sources.iter().map(|source| (&*source.name, &*source.text)).collect();
    let modules = modules::of_crate(&files, ROOT);
    let complaints = strangers(&modules, ROOM).into_iter();
    let complaints = complaints.map(|(file, name)| format!("{file}: uses `{name}`, as only `sys` may"));
    outcome(complaints.collect(), || format!("{} modules", modules.len()))
}

/// The files outside of a room that name one of the crates, each with it.
fn strangers<'a>(modules: &'a [Module], room: &str) -> BTreeSet<(&'a str, &'a str)> {
    let mut found = BTreeSet::new();
    for module in modules.iter().filter(|module| !module.file.starts_with(room)) {
        let imports = module.meanings.values().flatten().filter_map(|meaning| match meaning {
            Meaning::Import(path) => Some(path),
            _ => None,
        });
        let named = module.paths.iter().map(|(path, _)| path).chain(imports).chain(&module.globs);
        let first = named.filter_map(|path| path.first()).filter(|name| SYSTEM.contains(&&***name));
        found.extend(first.map(|name| (&*module.file, &**name)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_named_in_its_room_alone() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c; mod sys;"),
            ("a.rs", "use rustix::io;\n#[cfg(test)]\nmod tests { use socket2::Socket; }"),
            ("b.rs", "pub use libc::SIGINT;\nfn f() -> crate::sys::S { x.libc() }"),
            ("c.rs", "fn f() { rustix::io::read() }"),
            ("sys/mod.rs", "mod linux;\npub use linux::S;"),
            ("sys/linux.rs", "use libc::*;\npub struct S;"),
        ];
        let modules = modules::of_crate(&files.into_iter().collect(), "lib.rs");
        let found: Vec<_> = strangers(&modules, "sys/").into_iter().collect();
        assert_eq!(found, [("a.rs", "rustix"), ("b.rs", "libc"), ("c.rs", "rustix")]);
    }
}
