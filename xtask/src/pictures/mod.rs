//! Pictures as SVG, each from a source in `book/pictures`, whose README describes the format.

use std::path::Path;

use crate::complaints::Complaints;
use crate::repo::Repo;

mod map;
mod memory;
mod probe;
mod source;
mod stack;
mod svg;
mod switch;
mod turns;
mod window;

use source::Source;
pub(crate) use window::Window;

/// The extensions of the sources.
pub(crate) const KINDS: [&str; 5] = ["stack", "memory", "map", "turns", "switch"];

/// The forms of a picture, with what their files' names end in. Those that are narrow anyway have
/// one form.
pub(crate) fn windows(source: &Path) -> &'static [(Window, &'static str)] {
    match kind(source).as_str() {
        "memory" | "turns" | "switch" => &[(Window::Wide, ""), (Window::Narrow, NARROW_END)],
        _ => &[(Window::Narrow, "")],
    }
}

/// The end of the name of a picture for phones.
pub(crate) const NARROW_END: &str = "-narrow";

/// Whether it is drawn from what a debugger finds in a running program.
pub(crate) fn has_dump(source: &Path) -> bool {
    matches!(kind(source).as_str(), "stack" | "memory" | "map")
}

/// The title of a picture, which is printed below it.
pub(crate) fn title(repo: &Repo, path: &Path) -> Result<String, Complaints> {
    Source::parse(&repo.read(path)?).get("title").map(str::to_owned)
}

/// The picture of a source.
pub(crate) fn draw(repo: &Repo, path: &Path, window: Window) -> Result<String, Complaints> {
    let text = repo.read(path)?;
    let source = Source::parse(&text);
    let dump = || repo.read(&path.with_extension("dump"));
    let drawn = match kind(path).as_str() {
        "stack" => stack::draw(&source, &dump()?),
        "memory" => memory::draw(&source, &dump()?, window),
        "map" => map::draw(&source, &dump()?),
        "turns" => turns::draw(repo, &source, window),
        "switch" => switch::draw(repo, &source, window),
        kind => Err(vec![format!("nobody draws a `{kind}`")]),
    };
    drawn.map_err(|wrong| vec![format!("{}: {}", repo.name(path), wrong.join("; "))])
}

/// Runs the program of a source, and returns the text for its `.dump`.
pub(crate) fn dump(repo: &Repo, path: &Path) -> Result<String, Complaints> {
    let text = repo.read(path)?;
    let source = Source::parse(&text);
    if kind(path) == "memory" {
        return memory::dump(repo, path, &source);
    }
    let is_map = kind(path) == "map";
    let (questions, read): (_, fn(&Source<'_>, &str) -> Option<String>) =
        if is_map { (map::questions(&source), map::read) } else { (stack::questions(&source), stack::read) };
    let output = probe::run(repo, path, &source, &questions?)?;
    read(&source, &output)
        .ok_or_else(|| vec![format!("{}: gdb has said something else\n{output}", repo.name(path))])
}

fn kind(source: &Path) -> String {
    source.extension().unwrap_or_default().to_string_lossy().into_owned()
}
