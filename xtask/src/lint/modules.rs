//! The modules of a crate: the items that each one defines, imports and names.
//!
//! Items under `#[cfg(test)]` are left out. Names that macros make are not seen.

use std::collections::BTreeMap;

use super::tokens::{self, Kind, Token};

/// The segments of a path: `crate::task::Task` has three.
pub(super) type Path = Vec<String>;

#[derive(Debug, Default)]
pub(super) struct Module {
    /// The file that it lies in.
    pub(super) file: String,
    pub(super) parent: Option<usize>,
    /// The meanings of a name here. It may mean a module and a function at once.
    pub(super) meanings: BTreeMap<String, Vec<Meaning>>,
    /// The modules and enums all of whose names are imported.
    pub(super) globs: Vec<Path>,
    /// The paths in its code and its private imports, each with its line. A `pub use` only
    /// re-exports names.
    pub(super) paths: Vec<(Path, usize)>,
    /// The folder of its children.
    folder: String,
}

#[derive(Debug)]
pub(super) enum Meaning {
    /// An item that this module defines: itself, but for macros that the whole crate sees.
    Item(usize),
    /// A child, by its number.
    Module(usize),
    /// The item at this path, which is imported.
    Import(Path),
}

/// The number of a crate's root.
pub(super) const ROOT: usize = 0;

/// The modules of the crate whose root lies in this file of `files`.
pub(super) fn of_crate(files: &BTreeMap<&str, &str>, root: &str) -> Vec<Module> {
    let mut modules = Vec::new();
    add_file(
        files,
        &mut modules,
        Module { file: root.to_owned(), folder: folder(root), ..Module::default() },
    );
    modules
}

/// Adds a module that has a file, and all that are in it.
fn add_file(files: &BTreeMap<&str, &str>, modules: &mut Vec<Module>, module: Module) -> usize {
    let number = modules.len();
    let tokens = files.get(&*module.file).map_or(Vec::new(), |text| tokens::code(text));
    modules.push(module);
    Reader {
        files,
        modules,
        tokens: &tokens,
        at: 0,
        scopes: vec![Scope::Items(number)],
        places: Vec::new(),
        is_exported: false,
    }
    .read();
    number
}

/// With the slash behind it.
fn folder(file: &str) -> String {
    file[..file.rfind('/').map_or(0, |end| end + 1)].to_owned()
}

/// The keywords that items begin with, apart from `use`.
const ITEMS: &str = "async const enum extern fn impl macro_rules mod static struct trait type unsafe";

/// The kind of text that braces hold.
#[derive(Clone, Copy)]
enum Scope {
    /// The items of a module.
    Items(usize),
    /// The inside of an item of a module.
    Body(usize),
}

/// Reads one file.
struct Reader<'a> {
    files: &'a BTreeMap<&'a str, &'a str>,
    modules: &'a mut Vec<Module>,
    tokens: &'a [Token<'a>],
    at: usize,
    scopes: Vec<Scope>,
    /// The files of the next module, if attributes name them. Each system may have another one.
    places: Vec<String>,
    /// Whether the whole crate sees the next macro.
    is_exported: bool,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        while self.at < self.tokens.len() {
            self.step();
        }
    }

    fn is(&self, ahead: usize, text: &str) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|token| token.is(text))
    }

    fn was(&self, back: usize, text: &str) -> bool {
        self.at.checked_sub(back).is_some_and(|at| self.tokens[at].is(text))
    }

    /// The word that stands there.
    fn word(&self, ahead: usize) -> Option<&'a str> {
        let token = self.tokens.get(self.at + ahead)?;
        (token.kind == Kind::Word).then_some(token.text)
    }

    fn scope(&self) -> Scope {
        *self.scopes.last().expect("a file is a scope")
    }

    /// The number of the module that we are in.
    fn number(&self) -> usize {
        let (Scope::Items(number) | Scope::Body(number)) = self.scope();
        number
    }

    fn module(&mut self) -> &mut Module {
        let number = self.number();
        &mut self.modules[number]
    }

    fn mean(&mut self, module: usize, name: &str, meaning: Meaning) {
        self.modules[module].meanings.entry(name.to_owned()).or_default().push(meaning);
    }

    /// Goes on behind the bracket that closes the one that stands here.
    fn skip_brackets(&mut self) {
        let mut depth = 0;
        while let Some(token) = self.tokens.get(self.at) {
            self.at += 1;
            if "([{".contains(token.text) {
                depth += 1;
            } else if ")]}".contains(token.text) {
                depth -= 1;
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn step(&mut self) {
        let token = self.tokens[self.at];
        match (token.kind, token.text) {
            (Kind::Mark, "#") if self.is(1, "[") || self.is(2, "[") => self.attribute(),
            (Kind::Mark, "{") => self.open(Scope::Body(self.number())),
            (Kind::Mark, "}") => {
                // The last one is the file's own.
                if self.scopes.len() > 1 {
                    self.scopes.pop();
                }
                self.at += 1;
            }
            (Kind::Word, word) => self.read_word(word),
            _ => self.at += 1,
        }
    }

    /// Goes into the braces that stand here.
    fn open(&mut self, scope: Scope) {
        self.scopes.push(scope);
        self.at += 1;
    }

    /// Three attributes matter: what is only for tests is left out, modules may lie elsewhere, and
    /// macros may be seen everywhere.
    fn attribute(&mut self) {
        let begin = self.at;
        let is_of_file = self.is(1, "!");
        self.at += if is_of_file { 2 } else { 1 };
        self.skip_brackets();
        let tokens = &self.tokens[begin..self.at];
        let text: String = tokens.iter().map(|token| token.text).collect();
        let places = text.split("path=\"").skip(1).filter_map(|rest| rest.split('"').next());
        self.places.extend(places.map(str::to_owned));
        self.is_exported |= text.contains("macro_export");
        if text.contains("[cfg(test") || text.contains("[cfg(all(test") {
            if is_of_file {
                self.at = self.tokens.len();
            } else {
                self.skip_item();
            }
        }
    }

    /// Goes on behind an item, a statement, a field or whatever else an attribute may stand before.
    fn skip_item(&mut self) {
        while self.is(0, "#") {
            self.at += 1;
            self.skip_brackets();
        }
        if self.is(0, "pub") {
            self.skip_visibility();
        }
        let is_import = self.is(0, "use");
        let is_item = is_import || self.word(0).is_some_and(|word| ITEMS.split(' ').any(|item| item == word));
        while let Some(token) = self.tokens.get(self.at) {
            match token.text {
                "{" => {
                    self.skip_brackets();
                    if !is_import {
                        return;
                    }
                }
                "(" | "[" => self.skip_brackets(),
                // The bracket that it stands in ends here.
                ")" | "]" | "}" => return,
                ";" => return self.at += 1,
                // Fields and arms end with a comma. Items may have some before they begin.
                "," if !is_item => return self.at += 1,
                _ => self.at += 1,
            }
        }
    }

    /// Goes on behind `pub` or `pub(in ..)`.
    fn skip_visibility(&mut self) {
        self.at += 1;
        if self.is(0, "(") {
            self.skip_brackets();
        }
    }

    fn read_word(&mut self, word: &str) {
        let is_item = matches!(self.scope(), Scope::Items(_));
        match word {
            "pub" => {
                self.skip_visibility();
                if self.is(0, "use") {
                    self.import(true);
                }
            }
            // `use<'a>` is a list of captures, not an import.
            "use" if !self.is(1, "<") => self.import(false),
            "mod" => self.child(),
            "macro_rules" => self.define(2, true),
            "const"
                if self.word(1).is_some_and(|next| ["fn", "unsafe", "async", "extern"].contains(&next)) =>
            {
                self.at += 1;
            }
            "static" if self.is(1, "mut") => self.define(2, is_item),
            "fn" | "struct" | "enum" | "union" | "trait" | "type" | "static" | "const"
                if self.word(1).is_some() =>
            {
                self.define(1, is_item);
            }
            "extern" if is_item && self.is(1, "crate") => self.skip_item(),
            "extern" if is_item && self.is(2, "{") => self.enter(2),
            _ if is_item && self.is(1, "!") && self.is(2, "{") => {
                self.path();
                self.enter(1);
            }
            _ => self.path(),
        }
    }

    /// Goes into the braces that stand ahead. Their contents belong to the same module.
    fn enter(&mut self, ahead: usize) {
        let scope = self.scope();
        self.at += ahead;
        self.open(scope);
    }

    /// The word ahead is the name of something new, which is an item if it is not inside of one.
    fn define(&mut self, ahead: usize, is_item: bool) {
        if let Some(name) = self.word(ahead).filter(|_| is_item) {
            let number = self.number();
            self.mean(number, name, Meaning::Item(number));
            if std::mem::take(&mut self.is_exported) && number != ROOT {
                self.mean(ROOT, name, Meaning::Item(number));
            }
        }
        self.at += ahead + 1;
    }

    fn child(&mut self) {
        let Some(name) = self.word(1) else {
            return self.at += 1;
        };
        let parent = self.number();
        let Module { file, folder: around, .. } = &self.modules[parent];
        let inside = format!("{around}{name}/");
        let child = |file: String, folder| Module { file, parent: Some(parent), folder, ..Module::default() };
        if self.is(2, "{") {
            let number = self.modules.len();
            self.modules.push(child(file.clone(), inside));
            self.mean(parent, name, Meaning::Module(number));
            self.at += 2;
            return self.open(Scope::Items(number));
        }
        self.at += 3;
        let places = std::mem::take(&mut self.places).into_iter();
        let mut children: Vec<Module> = places
            .map(|place| format!("{}{place}", folder(file)))
            .map(|file| child(file.clone(), folder(&file)))
            .collect();
        if children.is_empty() {
            let beside = format!("{around}{name}.rs");
            let is_beside = self.files.contains_key(&*beside);
            children.push(child(if is_beside { beside } else { format!("{inside}mod.rs") }, inside));
        }
        for child in children {
            let number = add_file(self.files, self.modules, child);
            self.mean(parent, name, Meaning::Module(number));
        }
    }

    fn import(&mut self, is_handed_on: bool) {
        self.at += 1;
        self.import_tree(&Path::new(), is_handed_on);
    }

    /// Reads the tree of a `use` behind `prefix`.
    fn import_tree(&mut self, prefix: &Path, is_handed_on: bool) {
        let mut path = prefix.clone();
        let mut line = 0;
        while let Some(token) = self.tokens.get(self.at) {
            self.at += 1;
            match token.text {
                "::" => {}
                "{" => {
                    while !self.is(0, "}") && self.at < self.tokens.len() {
                        self.import_tree(&path, is_handed_on);
                        self.at += usize::from(self.is(0, ","));
                    }
                    self.at += 1;
                    return;
                }
                "*" => {
                    let module = self.module();
                    module.globs.push(path.clone());
                    if !is_handed_on {
                        module.paths.push((path, token.line));
                    }
                    return;
                }
                word if token.kind == Kind::Word && word != "as" => {
                    line = token.line;
                    if word != "self" || path.is_empty() {
                        path.push(word.to_owned());
                    }
                }
                _ => {
                    self.at -= 1;
                    break;
                }
            }
        }
        let Some(mut name) = path.last().cloned() else {
            // Nothing that begins so is a path.
            return self.at += 1;
        };
        if self.is(0, "as") {
            name = self.word(1).unwrap_or_default().to_owned();
            self.at += 2;
        }
        if !is_handed_on {
            self.module().paths.push((path.clone(), line));
        }
        self.mean(self.number(), &name, Meaning::Import(path));
    }

    /// Reads a path in the code.
    fn path(&mut self) {
        let line = self.tokens[self.at].line;
        // Fields, methods, variables of macros, and names behind `<T>::` can't be resolved.
        let is_unknown = self.was(1, ".") && !self.was(2, ".")
            || self.was(1, "::")
            || self.was(1, "$") && !self.is(0, "crate");
        let mut path = Path::new();
        while let Some(word) = self.word(0) {
            path.push(word.to_owned());
            self.at += 1;
            if !self.is(0, "::") || self.tokens.get(self.at + 1).is_none_or(|next| next.kind != Kind::Word) {
                break;
            }
            self.at += 1;
        }
        let is_known = match &path[..] {
            // A colon follows fields and variables. A variable may have the name of a function.
            [name] => {
                let is_lower = name.starts_with(|it: char| it.is_ascii_lowercase());
                let is_called = self.is(0, "(") || self.is(0, "!") || self.is(0, "::");
                !self.is(0, ":") && (!is_lower || is_called)
            }
            _ => true,
        };
        if is_known && !is_unknown {
            self.module().paths.push((path, line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules_of(files: &[(&str, &str)]) -> Vec<Module> {
        of_crate(&files.iter().copied().collect(), files[0].0)
    }

    fn paths_of(text: &str) -> Vec<String> {
        modules_of(&[("src/lib.rs", text)])[0].paths.iter().map(|(path, _)| path.join("::")).collect()
    }

    #[test]
    fn modules_are_found_in_their_files() {
        let modules = modules_of(&[
            (
                "src/lib.rs",
                "mod a;\nmod b { mod c; }\n#[cfg_attr(x, path = \"e.rs\")]\n#[cfg_attr(y, path = \"g.rs\")]\nmod d;\n#[cfg(test)]\nmod t;",
            ),
            ("src/a/mod.rs", "pub(crate) mod f;"),
            ("src/a/f.rs", ""),
            ("src/b/c.rs", ""),
            ("src/e.rs", ""),
            ("src/g.rs", ""),
            ("src/t.rs", ""),
        ]);
        let files: Vec<_> = modules.iter().map(|module| (&*module.file, module.parent)).collect();
        assert_eq!(
            files,
            [
                ("src/lib.rs", None),
                ("src/a/mod.rs", Some(0)),
                ("src/a/f.rs", Some(1)),
                ("src/lib.rs", Some(0)),
                ("src/b/c.rs", Some(3)),
                ("src/e.rs", Some(0)),
                ("src/g.rs", Some(0)),
            ]
        );
    }

    #[test]
    fn items_are_found() {
        let text = "pub fn a() { fn no() {} }\nstruct B<T> { no: T }\nimpl B<u8> { const NO: u8 = 1; }\n\
                    const unsafe fn c() {}\nstatic mut D: u8 = 1;\nunsafe extern \"C\" { fn e(); }\n\
                    thread_local! { static F: u8 = 1 }\nmacro_rules! g { () => { fn no() {} } }\n\
                    #[cfg(test)]\nfn no<A, B>(_: [A; 1]) {}\n#[cfg(test)]\nuse no::{no};\nconst H: u8 = 1;";
        let modules = modules_of(&[("src/lib.rs", text)]);
        let names: Vec<_> = modules[0].meanings.keys().collect();
        assert_eq!(names, ["B", "D", "F", "H", "a", "c", "e", "g"]);
    }

    #[test]
    fn imports_are_found() {
        let text = "use a::{self, b as c, d::{E, F as _}};\npub use g::H;\npub(crate) use i::*;\nuse j::*;";
        let modules = modules_of(&[("src/lib.rs", text)]);
        let names: Vec<_> = modules[0].meanings.keys().collect();
        assert_eq!(names, ["E", "H", "_", "a", "c"]);
        assert_eq!(modules[0].globs, [["i"], ["j"]]);
        assert_eq!(paths_of(text), ["a", "a::b", "a::d::E", "a::d::F", "j"]);
    }

    #[test]
    fn paths_are_found() {
        let paths = paths_of("fn f(x: A) -> b::C { d(e.f::<G>(), $crate::h!(), ..I, X { y: 1, j }) }");
        assert_eq!(paths, ["A", "b::C", "d", "G", "crate::h", "I", "X", "1"]);
        assert_eq!(paths_of("fn f() { #[cfg(test)]\na::b();\nlet k = <A as B>::c; }"), ["A", "B"]);
        assert_eq!(paths_of("struct S { #[cfg(test)]\npub(super) a: (A, A),\nb: B }"), ["B"]);
    }
}
