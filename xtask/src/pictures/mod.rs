//! Pictures as SVG, each from a source in `book/pictures`, whose README says what the sources look like.

use std::path::Path;

use crate::checks::Complaints;
use crate::repo::Repo;

pub(crate) mod stack;
mod svg;
mod switch;
mod turns;

/// The names' ends of the sources.
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

/// Lines of `key: value`, in their order.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) lines: Vec<(&'a str, &'a str)>,
}

impl<'a> Source<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let lines = lines.filter_map(|line| line.split_once(':'));
        Self { lines: lines.map(|(key, value)| (key.trim(), value.trim())).collect() }
    }

    /// The value of a key that must be there.
    pub(crate) fn get(&self, key: &str) -> Result<&'a str, Complaints> {
        self.all(key).next().ok_or_else(|| vec![format!("there is no `{key}:`")])
    }

    /// All values of a key.
    pub(crate) fn all(&self, key: &str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter(move |(found, _)| *found == key).map(|(_, value)| *value)
    }

    /// Fails on keys that nobody knows.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Complaints> {
        match self.lines.iter().find(|(key, _)| !known.contains(key) && !key.starts_with("+0x")) {
            Some((key, _)) => {
                Err(vec![format!("`{key}:` means nothing here; known are {}", known.join(", "))])
            }
            None => Ok(()),
        }
    }
}
