//! The meaning of names, and so which file uses which.

use std::collections::BTreeMap;

use super::modules::{Meaning, Module, Path, ROOT};

/// The uses: for each pair (user, used), the first line, and the name in it.
pub(super) type Uses = BTreeMap<(String, String), (usize, String)>;

/// The uses between the files of a crate. A re-exported name leads to the file that defines it.
pub(super) fn uses(modules: &[Module]) -> Uses {
    let mut uses = Uses::new();
    let names = Names { modules };
    for (number, module) in modules.iter().enumerate() {
        for (path, line) in &module.paths {
            for (file, name) in names.definers(number, path) {
                if file != module.file {
                    let files = (module.file.clone(), file.to_owned());
                    let first = uses.entry(files).or_insert((usize::MAX, String::new()));
                    if *line < first.0 {
                        *first = (*line, name.to_owned());
                    }
                }
            }
        }
    }
    uses
}

/// The target of a path.
#[derive(Clone, Copy)]
enum Found<'a> {
    Module(usize),
    /// An item of this name, in this module.
    Item(usize, &'a str),
}

#[derive(Clone, Copy)]
struct Names<'a> {
    modules: &'a [Module],
}

impl<'a> Names<'a> {
    /// The files that define what a path names, and its name there. No file defines a module.
    fn definers(self, within: usize, path: &'a Path) -> Vec<(&'a str, &'a str)> {
        let found = self.resolve(within, path, &mut Vec::new());
        let items = found.into_iter().filter_map(|found| match found {
            Found::Item(module, name) => Some((&*self.modules[module].file, name)),
            Found::Module(_) => None,
        });
        items.collect()
    }

    /// Resolves a path within a module. `asked` has the names that are being looked up, since names
    /// may import each other.
    fn resolve(self, within: usize, path: &'a [String], asked: &mut Vec<(usize, &'a str)>) -> Vec<Found<'a>> {
        let mut found = Vec::new();
        for (index, segment) in path.iter().enumerate() {
            found = match &**segment {
                "crate" => vec![Found::Module(ROOT)],
                "self" if index == 0 => vec![Found::Module(within)],
                "super" => {
                    let from = match found[..] {
                        [Found::Module(number)] => number,
                        _ => within,
                    };
                    self.modules[from].parent.map(Found::Module).into_iter().collect()
                }
                name if index == 0 => self.look_up(within, name, asked),
                name => {
                    let next = found.into_iter().flat_map(|found| match found {
                        Found::Module(number) => self.look_up_inside(number, name, asked),
                        // The parts of an item are defined where the item is.
                        Found::Item(..) => vec![found],
                    });
                    next.collect()
                }
            };
            // A function may have the name of a module, but no path goes through it.
            let is_module = |found: &Found<'_>| matches!(found, Found::Module(_));
            if index + 1 < path.len() && found.iter().any(is_module) {
                found.retain(is_module);
            }
        }
        found
    }

    /// Resolves a name in a module that is named before it. If no item there has the name, a macro
    /// has made it.
    fn look_up_inside(
        self,
        module: usize,
        name: &'a str,
        asked: &mut Vec<(usize, &'a str)>,
    ) -> Vec<Found<'a>> {
        let Module { meanings, globs, .. } = &self.modules[module];
        if meanings.contains_key(name) || !globs.is_empty() {
            self.look_up(module, name, asked)
        } else {
            vec![Found::Item(module, name)]
        }
    }

    /// Resolves a name in a module.
    fn look_up(self, module: usize, name: &'a str, asked: &mut Vec<(usize, &'a str)>) -> Vec<Found<'a>> {
        if asked.contains(&(module, name)) {
            return Vec::new();
        }
        asked.push((module, name));
        let mut found = Vec::new();
        for meaning in self.modules[module].meanings.get(name).into_iter().flatten() {
            match meaning {
                Meaning::Item(definer) => found.push(Found::Item(*definer, name)),
                Meaning::Module(number) => found.push(Found::Module(*number)),
                Meaning::Import(path) => found.extend(self.resolve(module, path, asked)),
            }
        }
        if found.is_empty() {
            for glob in &self.modules[module].globs {
                for from in self.resolve(module, glob, asked) {
                    if let Found::Module(number) = from {
                        found.extend(self.look_up(number, name, asked));
                    }
                }
            }
        }
        asked.pop();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::modules;
    use super::*;

    /// The uses, as text.
    fn uses_of(files: &[(&str, &str)]) -> Vec<String> {
        let uses = uses(&modules::of_crate(&files.iter().copied().collect(), "lib.rs"));
        uses.iter().map(|((user, used), (line, name))| format!("{user}:{line} {used} {name}")).collect()
    }

    #[test]
    fn names_lead_to_where_they_are_defined() {
        let files = |user| {
            [
                ("lib.rs", "mod a; mod b; pub use a::Outer as Renamed; pub use b::*;"),
                (
                    "a.rs",
                    "pub enum Outer { Inner }\npub fn a() {}\n#[macro_export]\nmacro_rules! mac { () => {} }",
                ),
                ("b.rs", "mod c; pub(crate) use self::c::{C, d};"),
                ("b/c.rs", user),
            ]
        };
        let outer = ["b/c.rs:1 a.rs Outer"];
        assert_eq!(uses_of(&files("use crate::Renamed;")), outer);
        assert_eq!(uses_of(&files("use super::super::a::Outer::Inner;")), outer);
        assert_eq!(uses_of(&files("use crate::a::Outer::*;")), outer);
        assert_eq!(uses_of(&files("use crate::*; impl Renamed {}")), outer);
        assert_eq!(uses_of(&files("use crate::a as other; fn f() -> other::Outer {}")), outer);
        assert_eq!(uses_of(&files("fn f() { crate::mac!() }")), ["b/c.rs:1 a.rs mac"]);
        assert_eq!(uses_of(&files("fn f() { ::a::a(); x.a(); /* crate::a::a() */ }")), Vec::<String>::new());
        assert_eq!(
            uses_of(&files("fn f() {}\n#[cfg(test)]\nmod tests { use crate::a::a; }")),
            Vec::<String>::new()
        );
        assert_eq!(
            uses_of(&files("mod i { use super::super::super::a; fn f() { a::a() } }")),
            ["b/c.rs:1 a.rs a"]
        );
    }

    #[test]
    fn who_only_hands_names_on_uses_none() {
        let files = |user| [("lib.rs", user), ("a.rs", "pub struct A; pub fn a() {} pub fn b() {}")];
        assert_eq!(uses_of(&files("mod a; pub(crate) use a::{A, a};")), Vec::<String>::new());
        assert_eq!(uses_of(&files("mod a; pub(crate) use a::A; fn f(a: u8) { g(a) }")), Vec::<String>::new());
        assert_eq!(uses_of(&files("mod a; pub use a::A;\nfn f(_: A) {}")), ["lib.rs:2 a.rs A"]);
        assert_eq!(uses_of(&files("mod a; use a::*;\nfn f() { b() }")), ["lib.rs:2 a.rs b"]);
    }

    #[test]
    fn what_a_macro_has_made_is_defined_where_it_was_called() {
        let files =
            |user| [("lib.rs", "mod a; mod b; pub use a::Made;"), ("a.rs", "make!(Made);"), ("b.rs", user)];
        assert_eq!(uses_of(&files("use crate::Made;")), ["b.rs:1 a.rs Made"]);
        assert_eq!(uses_of(&files("use std::Made;")), Vec::<String>::new());
    }

    #[test]
    fn a_function_with_the_name_of_a_module_is_not_in_its_way() {
        let files =
            |user| [("lib.rs", "mod a;\nfn a() {}"), ("a.rs", "mod b; pub struct A;"), ("a/b.rs", user)];
        assert_eq!(uses_of(&files("use crate::a::A;")), ["a/b.rs:1 a.rs A"]);
        assert_eq!(uses_of(&files("fn f() { crate::a() }")), ["a/b.rs:1 lib.rs a"]);
    }

    #[test]
    fn names_that_import_each_other_lead_nowhere() {
        assert_eq!(
            uses_of(&[
                ("lib.rs", "mod a; mod b; use a::X;"),
                ("a.rs", "pub use crate::b::*; pub use crate::b::X;"),
                ("b.rs", "pub use crate::a::*; pub use crate::a::X;"),
            ]),
            Vec::<String>::new()
        );
    }
}
