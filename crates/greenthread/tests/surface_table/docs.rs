//! Reads std's documentation, as rustdoc wrote it, and makes the table from it.
//!
//! Every page of a module's folder is an item of that module. On a page, each method and each
//! implementation is a `<section>` whose heading is its signature, in which every type is a link
//! whose title is its whole path; behind the heading it says whether it is unstable, or exists on
//! some systems only. So the table has all that the pages have. It leaves out unstable items
//! (except for the file `nightly`), items that Linux doesn't have, and implementations of unstable
//! traits.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// The files of the table, and the modules of each, or those of a module's pages that are wanted.
pub(crate) const TABLES: &[(&str, &[&str])] = &[
    ("thread", &["thread"]),
    ("sync", &["sync"]),
    ("mpsc", &["sync::mpsc"]),
    ("atomic", &["sync::atomic"]),
    ("net", &["net"]),
    ("fs", &["fs"]),
    ("time", &["time"]),
    ("io", &["io"]),
    ("process", &["process"]),
    (
        "os",
        &[
            "os::fd",
            "os::unix::net",
            "os::unix::fs",
            "os::unix::process",
            "os::unix::thread",
            "os::linux::fs",
            "os::linux::net",
        ],
    ),
    // Unstable items of std that the library has.
    (
        NIGHTLY,
        &[
            "sync::mpmc",
            "sync::oneshot",
            "sync::nonpoison",
            "sync: MappedMutexGuard MappedRwLockReadGuard MappedRwLockWriteGuard MutexGuard ReentrantLock \
             ReentrantLockGuard RwLockReadGuard RwLockWriteGuard",
            "thread: sleep_until",
        ],
    ),
];

/// The file for what is unstable.
pub(crate) const NIGHTLY: &str = "nightly";

/// The types and traits that the library may define itself: those that block, and those that these
/// return. All others must be std's own.
const OWN: &[(&str, &str)] = &[
    ("thread", "AccessError Builder JoinHandle LocalKey Scope ScopedJoinHandle Thread ThreadId"),
    (
        "sync",
        "Barrier BarrierWaitResult Condvar LazyLock MappedMutexGuard MappedRwLockReadGuard MappedRwLockWriteGuard Mutex \
         MutexGuard Once OnceLock OnceState ReentrantLock ReentrantLockGuard RwLock RwLockReadGuard RwLockWriteGuard \
         WaitTimeoutResult",
    ),
    ("sync::mpmc", "IntoIter Iter Receiver SendTimeoutError Sender TryIter"),
    (
        "sync::nonpoison",
        "Condvar MappedMutexGuard MappedRwLockReadGuard MappedRwLockWriteGuard Mutex MutexGuard RwLock RwLockReadGuard \
         RwLockWriteGuard TryLockResult WouldBlock",
    ),
    ("sync::oneshot", "Receiver RecvTimeoutError Sender TryRecvError"),
    ("sync::mpsc", "IntoIter Iter Receiver Sender SyncSender TryIter"),
    ("net", "Incoming TcpListener TcpStream ToSocketAddrs UdpSocket"),
    ("fs", "DirBuilder DirEntry File OpenOptions ReadDir"),
    ("time", "Instant"),
    ("io", "IsTerminal PipeReader PipeWriter Stderr StderrLock Stdin StdinLock Stdout StdoutLock"),
    ("process", "Child ChildStderr ChildStdin ChildStdout Command"),
    ("os::unix::net", "Incoming UnixDatagram UnixListener UnixStream"),
    ("os::unix::process", "CommandExt"),
    ("os::unix::thread", "JoinHandleExt"),
    ("os::linux::net", "TcpStreamExt"),
];

/// Names that need no path.
const PRELUDE: &[&str] = &[
    "std::boxed::Box",
    "std::clone::Clone",
    "std::cmp::Eq",
    "std::cmp::Ord",
    "std::cmp::PartialEq",
    "std::cmp::PartialOrd",
    "std::convert::AsRef",
    "std::convert::From",
    "std::convert::Into",
    "std::default::Default",
    "std::iter::IntoIterator",
    "std::iter::Iterator",
    "std::marker::Copy",
    "std::marker::Send",
    "std::marker::Sized",
    "std::marker::Sync",
    "std::marker::Unpin",
    "std::ops::Fn",
    "std::ops::FnMut",
    "std::ops::FnOnce",
    "std::option::Option",
    "std::result::Result",
    "std::string::String",
    "std::vec::Vec",
];

/// Where the pages of std 1.95 are, if they are installed.
pub(crate) fn installed() -> Option<PathBuf> {
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let output = std::process::Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    let html = Path::new(str::from_utf8(&output.stdout).ok()?.trim()).join("share/doc/rust/html/std");
    let index = fs::read_to_string(html.join("index.html")).ok()?;
    index.contains("data-rustdoc-version=\"1.95.0 ").then_some(html)
}

/// The text of this file of the table. Entries whose path begins with a path in `left_out` are
/// marked with that path.
pub(crate) fn table(html: &Path, name: &str, modules: &[&str], left_out: &[String]) -> String {
    let nightly = name == NIGHTLY;
    let mut docs = Docs { html, nightly, left_out, unstable: BTreeMap::new(), out: String::new() };
    docs.out.push_str("// Made by docs.rs from the documentation of std 1.95; not edited by hand.\n");
    for module in modules {
        let (module, wanted) = module.split_once(": ").unwrap_or((module, ""));
        let folder = html.join(module.replace("::", "/"));
        let files = fs::read_dir(folder).expect("a module's folder");
        let mut files: Vec<_> = files.map(|file| file.expect("a file").file_name()).collect();
        files.sort();
        for file in files {
            let file = file.to_str().expect("plain names");
            if let [kind, name, "html"] = file.split('.').collect::<Vec<_>>()[..]
                && (wanted.is_empty() || wanted.split(' ').any(|wanted| wanted == name))
            {
                docs.item(module, kind, name);
            }
        }
    }
    docs.out
}

struct Docs<'a> {
    html: &'a Path,
    /// Whether what is unstable is taken.
    nightly: bool,
    left_out: &'a [String],
    /// For each trait that was looked at, whether it is unstable.
    unstable: BTreeMap<String, bool>,
    out: String,
}

/// A section of a page: a method, an associated type, an implementation.
struct Section<'a> {
    /// The `id` of the chapter (`<h2>`) in which it stands.
    chapter: &'a str,
    class: &'a str,
    heading: String,
    hidden: bool,
}

impl Docs<'_> {
    fn page(&self, path: &str, kind: &str) -> String {
        let (module, name) = path.rsplit_once("::").expect("a path");
        let file = format!("{}/{kind}.{name}.html", module.replace("::", "/"));
        fs::read_to_string(self.html.join(file)).unwrap_or_default()
    }

    fn item(&mut self, module: &str, kind: &str, name: &str) {
        let path = format!("{module}::{name}");
        let page = self.page(&path, kind);
        // The page of an item that has moved only says where it is now.
        let Some((_, rest)) = page.split_once("<pre class=\"rust item-decl\"><code>") else { return };
        let (declaration, rest) = rest.split_once("</code></pre>").expect("an end");
        if hidden(rest.split_once("class=\"docblock\"").map_or(rest, |(info, _)| info), self.nightly) {
            return;
        }
        let declaration = text(declaration);
        _ = writeln!(self.out, "\n// {kind} {path}");
        match kind {
            "fn" => self.function(&path, module, &declaration, None),
            "constant" => {
                let ty = declaration.split_once(':').expect("a type").1;
                let ty = ty.split(['=', ';']).next().expect("a type").trim();
                self.entry(&path, format!("item! {{ const CHECK: {ty} = {path}; }}"));
            }
            "trait" if !own(module, name) => {
                self.entry(&path, format!("same_trait! {{ {path} = std::{path} }}"));
            }
            "trait" => self.own_trait(&path, &page),
            "struct" | "enum" | "type" if !own(module, name) => {
                let after = declaration.split_once(name).expect("its name").1.trim_start();
                let (generics, _) = enclosed(after, '<', '>').unwrap_or_default();
                let generics: Vec<_> =
                    split(generics, ',').filter(|generic| !generic.contains('=')).collect();
                let names = generics.iter().map(|generic| generic.split(':').next().expect("a name").trim());
                let names = names.collect::<Vec<_>>().join(", ");
                let names = if names.is_empty() { names } else { format!("<{names}>") };
                let generics = generics.join(", ");
                self.entry(&path, format!("same! {{ [{generics}] {path}{names} = std::{path}{names} }}"));
            }
            // What it stands for is checked where it is used.
            "type" => {}
            "struct" | "enum" => {
                self.fields(&path, &declaration);
                self.own_type(&path, &page);
            }
            _ => panic!("{path}: a {kind}"),
        }
    }

    fn fields(&mut self, path: &str, declaration: &str) {
        let Some((_, fields)) = declaration.split_once('{') else { return };
        for field in split(fields, ',').filter_map(|field| field.strip_prefix("pub ")) {
            let (name, ty) = field.split_once(": ").expect("a type");
            let entry = format!("item! {{ fn {name}(this: {path}) -> {ty} {{ this.{name} }} }}");
            self.entry(&format!("{path}::{name}"), entry);
        }
    }

    fn own_type(&mut self, path: &str, page: &str) {
        let sections = sections(page, self.nightly);
        let mut inherent = None;
        for (i, section) in sections.iter().enumerate() {
            match (section.chapter, section.class) {
                ("implementations", "impl") => inherent = Some(Header::parse(&section.heading)),
                ("implementations", "method") if !section.hidden => {
                    self.function(path, path, &section.heading, inherent.as_ref());
                }
                ("trait-implementations" | "synthetic-implementations", "impl") if !section.hidden => {
                    let inside = sections[i + 1..].iter().take_while(|inner| inner.class != "impl");
                    let types = inside.filter(|inner| inner.class.starts_with("associatedtype"));
                    self.implementation(path, &section.heading, types.map(|inner| &*inner.heading));
                }
                _ => {}
            }
        }
    }

    fn own_trait(&mut self, path: &str, page: &str) {
        let mut generics = Header::parse(&format!("impl<This: {path}> This"));
        generics.of = None;
        let sections = sections(page, self.nightly);
        for (i, section) in sections.iter().enumerate() {
            match (section.chapter, section.class) {
                ("required-methods" | "provided-methods", "method") if !section.hidden => {
                    self.function(path, path, &section.heading, Some(&generics));
                }
                ("foreign-impls" | "implementors", "impl") if !section.hidden => {
                    let inside = sections[i + 1..].iter().take_while(|inner| inner.class != "impl");
                    let types = inside.filter(|inner| inner.class.starts_with("associatedtype"));
                    self.implementation(path, &section.heading, types.map(|inner| &*inner.heading));
                }
                _ => {}
            }
        }
    }

    /// A function that does nothing but call the one of this heading, with its signature.
    fn function(&mut self, path: &str, module: &str, heading: &str, inherent: Option<&Header>) {
        let heading = heading.strip_prefix("pub ").unwrap_or(heading);
        let (qualifiers, rest) = heading.split_once("fn ").expect("a function");
        let end = rest.find(['<', '(']).expect("arguments");
        let (name, rest) = rest.split_at(end);
        let (generics, rest) = enclosed(rest, '<', '>').unwrap_or(("", rest));
        let (arguments, rest) = enclosed(rest, '(', ')').expect("arguments");
        let (result, conditions) = rest.split_once(" where ").unwrap_or((rest, ""));
        let mut result = result.trim().to_owned();

        let mut all = Vec::new();
        let mut bounds = Vec::new();
        if let Some(header) = inherent {
            all.extend(split(&header.generics, ','));
            bounds.extend(split(&header.conditions, ','));
        }
        all.extend(split(generics, ','));
        bounds.extend(split(conditions, ','));
        let mut all: Vec<_> = all.into_iter().map(str::to_owned).collect();

        let this = inherent.map_or("", |header| &header.ty);
        let mut parameters = Vec::new();
        let mut names = Vec::new();
        let arguments: Vec<_> = split(arguments, ',').collect();
        for argument in &arguments {
            let (name, ty) = match argument.split_once(':') {
                Some((name, ty)) if name.trim() != "self" => (name.trim(), ty.trim().to_owned()),
                Some((_, ty)) => ("this", ty.trim().to_owned()),
                None => ("this", argument.replace("self", "Self")),
            };
            names.push(name);
            parameters.push(format!("{name}: {ty}"));
        }
        // An elided lifetime in a method's result is that of `self`. With more references in the
        // arguments, a function must name it.
        let elides = |text: &str| text.replace("&'", "").contains('&') || text.contains("'_");
        if arguments.first().is_some_and(|first| first.starts_with("&self") || first.starts_with("&mut self"))
            && elides(&result)
            && (this.contains('\'') || arguments[1..].iter().any(|argument| elides(argument)))
        {
            all.insert(0, "'this".into());
            parameters[0] = parameters[0].replace('&', "&'this ");
            result = result.replace("&'", "&''").replace('&', "&'this ").replace("&'this ''", "&'");
            result = result.replace("'_", "'this");
        }
        all.sort_by_key(|generic| !generic.starts_with('\''));

        let call = match inherent {
            Some(header) if header.ty.contains('<') => format!("<{}>::{name}", header.ty),
            Some(_) => format!("{path}::{name}"),
            None => format!("{module}::{name}"),
        };
        let generics = if all.is_empty() { String::new() } else { format!("<{}>", all.join(", ")) };
        let conditions =
            if bounds.is_empty() { String::new() } else { format!(" where {}", bounds.join(", ")) };
        let mut body = format!("{call}({})", names.join(", "));
        if qualifiers.contains("unsafe") {
            body = format!("unsafe {{ {body} }}");
        }
        let result = if result.is_empty() { result } else { format!(" {result}") };
        let head = format!("{qualifiers}fn {name}{generics}({}){result}{conditions}", parameters.join(", "));
        let entry = format!("item! {{ {} {{ {body} }} }}", word(&head, "Self", this));
        let full = if inherent.is_some() { format!("{path}::{name}") } else { path.to_owned() };
        self.entry(&full, entry);
    }

    /// That a type implements a trait, or doesn't.
    fn implementation<'s>(&mut self, path: &str, heading: &str, types: impl Iterator<Item = &'s str>) {
        let header = Header::parse(heading);
        let mut of = header.of.expect("a trait");
        let plain = of.trim_start_matches('!').split('<').next().expect("a trait").to_owned();
        let short = plain.rsplit("::").next().expect("a name");
        if short == "Drop" || self.is_unstable(&plain) {
            return;
        }
        let name = format!("{path}: {plain}");
        if let Some(trait_) = of.strip_prefix('!') {
            if ["Send", "Sync"].contains(&short) {
                let mut ty = header.ty.replace("'_", "'static");
                for generic in split(&header.generics, ',') {
                    let generic = generic.split(':').next().expect("a name").trim();
                    ty = match generic.strip_prefix('\'') {
                        Some(_) => ty.replace(generic, "'static"),
                        None => word(&ty, generic, "()"),
                    };
                }
                self.entry(&name, format!("lacks! {{ {ty}: {trait_} }}"));
            }
            return;
        }
        let types: Vec<_> = types
            .map(|ty| ty.trim_start_matches("type ").trim_end_matches(';'))
            .map(|ty| ty.split(" where ").next().expect("a type"))
            .map(|ty| word(ty, "Self", &header.ty))
            .collect();
        if !types.is_empty() {
            match of.strip_suffix('>') {
                Some(open) => of = format!("{open}, {}>", types.join(", ")),
                None => of = format!("{of}<{}>", types.join(", ")),
            }
        }
        let mut lifetimes = 0;
        let claim = name_lifetimes(&format!("{}: {of}", header.ty), &mut lifetimes);
        let conditions: String = split(&header.conditions, ',').map(|bound| format!("{bound}, ")).collect();
        let mut generics: Vec<_> = split(&header.generics, ',').map(str::to_owned).collect();
        generics.splice(0..0, (0..lifetimes).map(|i| format!("'x{i}")));
        let given = match generics.is_empty() && conditions.is_empty() {
            true => String::new(),
            false => format!("[{}] [{}] ", generics.join(", "), conditions.trim_end()),
        };
        self.entry(&name, format!("implements! {{ {given}{claim} }}"));
    }

    fn is_unstable(&mut self, trait_: &str) -> bool {
        let full =
            PRELUDE.iter().find(|path| path.ends_with(&format!("::{trait_}"))).copied().unwrap_or(trait_);
        let full = full.strip_prefix("std::").unwrap_or(full);
        if let Some(&known) = self.unstable.get(full) {
            return known;
        }
        let page = self.page(full, "trait");
        assert!(!page.is_empty(), "no page for {full}");
        let (_, rest) = page.split_once("<pre class=\"rust item-decl\">").expect("a declaration");
        let rest = rest.split_once("</pre>").expect("an end").1;
        let unstable = hidden(rest.split_once("class=\"docblock\"").map_or(rest, |(info, _)| info), false);
        self.unstable.insert(full.to_owned(), unstable);
        unstable
    }

    fn entry(&mut self, name: &str, entry: String) {
        let is_in = |path: &&String| {
            let rest = name.strip_prefix(path.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
                || name.ends_with(&format!(": {path}"))
        };
        match self.left_out.iter().find(is_in) {
            Some(path) => _ = writeln!(self.out, "left_out! {{ {path}; {entry} }}"),
            None => _ = writeln!(self.out, "{entry}"),
        }
    }
}

/// What `impl<generics> of for ty where conditions` says.
struct Header {
    generics: String,
    of: Option<String>,
    ty: String,
    conditions: String,
}

impl Header {
    fn parse(heading: &str) -> Self {
        let rest = heading.strip_prefix("impl").expect("an implementation");
        let (generics, rest) = enclosed(rest, '<', '>').unwrap_or(("", rest));
        let (rest, conditions) = rest.split_once(" where ").unwrap_or((rest, ""));
        let (of, ty) = match rest.split_once(" for ") {
            Some((of, ty)) => (Some(of.trim().to_owned()), ty),
            None => (None, rest),
        };
        let conditions = conditions.trim().to_owned();
        Self { generics: generics.to_owned(), of, ty: ty.trim().to_owned(), conditions }
    }
}

fn own(module: &str, name: &str) -> bool {
    OWN.iter().any(|(of, names)| *of == module && names.split_whitespace().any(|own| own == name))
}

/// Whether what stands behind a heading says that this is unstable, if that isn't wanted, or not
/// there on Linux.
fn hidden(info: &str, nightly: bool) -> bool {
    let place = info
        .split_once("stab portability")
        .map_or("Unix", |(_, place)| place.split_once("</div>").expect("an end").0);
    info.contains("stab unstable") && !nightly || !(place.contains("Unix") || place.contains("Linux"))
}

fn sections(page: &str, nightly: bool) -> Vec<Section<'_>> {
    let mut all = Vec::new();
    for chapter in page.split("<h2 id=\"").skip(1) {
        let id = chapter.split('"').next().expect("an id");
        for section in chapter.split("<section id=\"").skip(1) {
            let class =
                section.split_once("class=\"").expect("a class").1.split('"').next().expect("a class");
            let Some((_, rest)) = section.split_once("class=\"code-header\">") else { continue };
            let end = ["</h3>", "</h4>"].iter().filter_map(|tag| rest.find(tag)).min().expect("an end");
            let info = &rest[end..];
            let info =
                &info[..info.find("class=\"docblock").or(info.find("class='docblock")).unwrap_or(info.len())];
            all.push(Section {
                chapter: id,
                class,
                heading: text(&rest[..end]),
                hidden: hidden(info, nightly),
            });
        }
    }
    all
}

/// A piece of HTML as code, with whole paths.
fn text(html: &str) -> String {
    let html = html.replace("<div class=\"where\">", " ").replace("<span class=\"where\">", " ");
    let mut out = String::new();
    let mut rest = &*html;
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        let (tag, after) = tag.split_once('>').expect("an end");
        rest = after;
        let path =
            tag.split_once(" title=\"").and_then(|(_, title)| title.split('"').next()?.split_once(' '));
        let Some((kind, path)) = path.map(|(kind, path)| (kind, path.trim_end_matches('"'))) else {
            continue;
        };
        let linked = tag.contains(&format!("class=\"{kind}\""));
        if linked && ["struct", "enum", "trait", "type", "union"].contains(&kind) {
            out.push_str(&short(path));
            rest = rest.split_once("</a>").expect("an end").1;
        }
    }
    out.push_str(rest);
    let out = out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("&nbsp;", " ");
    let out = out.replace('ⓘ', "");
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    out.replace("( ", "(").replace(", )", ")").replace(",)", ")")
}

/// How a path is written in the table: ours relative to the library, all others in full.
fn short(path: &str) -> String {
    if PRELUDE.contains(&path) {
        return path.rsplit("::").next().expect("a name").to_owned();
    }
    let (module, name) = path.rsplit_once("::").expect("a path");
    match module.strip_prefix("std::") {
        Some(module) if own(module, name) => format!("{module}::{name}"),
        _ => path.replace("libc::unix::", "libc::"),
    }
}

/// What is enclosed by the brackets at the start, and what follows them.
fn enclosed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    let inner = text.strip_prefix(open)?;
    let mut depth = 1;
    let mut last = ' ';
    for (i, c) in inner.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close && !(last == '-' && c == '>') {
            depth -= 1;
        }
        if depth == 0 {
            return Some((&inner[..i], &inner[i + c.len_utf8()..]));
        }
        last = c;
    }
    None
}

/// The pieces between separators that stand in no brackets; none is empty.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let mut last = ' ';
    let pieces = text.split(move |c| {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' if last == '-' => {}
            '>' | ')' | ']' => depth -= 1,
            _ => {}
        }
        last = c;
        c == separator && depth == 0
    });
    pieces.map(str::trim).filter(|piece| !piece.is_empty())
}

/// Replaces a whole word.
fn word(text: &str, from: &str, to: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        let part = |c: char| c.is_alphanumeric() || c == '_' || c == '\'';
        out.push_str(before);
        let whole = !before.ends_with(part) && !after.starts_with(part) && !out.ends_with("::");
        out.push_str(if whole { to } else { from });
        rest = after;
    }
    out + rest
}

/// Gives a name to each lifetime that has none.
fn name_lifetimes(text: &str, count: &mut usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        let anonymous = c == '\'' && rest.starts_with('_');
        if c == '&' && !rest.starts_with('\'') {
            _ = write!(out, "&'x{count} ");
            *count += 1;
        } else if anonymous {
            _ = write!(out, "'x{count}");
            *count += 1;
            rest = &rest[1..];
        } else {
            out.push(c);
        }
    }
    out
}
