//! Pictures as SVG, each from a source in `book/pictures`, whose README describes the format.

use std::path::Path;

use crate::complaints::Complaints;
use crate::repo::Repo;

mod source;
pub(crate) mod stack;
mod svg;
mod switch;
mod turns;

use source::Source;

/// The extensions of the sources.
pub(crate) const KINDS: [&str; 3] = ["stack", "turns", "switch"];

/// The picture of a source.
pub(crate) fn draw(repo: &Repo, path: &Path) -> Result<String, Complaints> {
    let text = repo.read(path)?;
    let source = Source::parse(&text);
    let kind = path.extension().unwrap_or_default().to_string_lossy();
    let drawn = match &*kind {
        "stack" => stack::draw(&source, &repo.read(&path.with_extension("dump"))?),
        "turns" => turns::draw(repo, &source),
        "switch" => switch::draw(repo, &source),
        _ => Err(vec![format!("nobody draws a `{kind}`")]),
    };
    drawn.map_err(|wrong| vec![format!("{}: {}", repo.name(path), wrong.join("; "))])
}
