//! The source of a picture.

use crate::complaints::Complaints;

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

    /// Fails on unknown keys.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Complaints> {
        match self.lines.iter().find(|(key, _)| !known.contains(key) && !key.starts_with("+0x")) {
            Some((key, _)) => {
                Err(vec![format!("`{key}:` means nothing here; known are {}", known.join(", "))])
            }
            None => Ok(()),
        }
    }
}
