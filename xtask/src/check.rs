//! The type of a check.

use crate::complaints::Outcome;
use crate::repo::Repo;

/// One check.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Repo) -> Outcome,
    /// Writes anew the files that `run` compares with: all of them, or those named.
    pub(crate) record: Option<fn(&Repo, &[&str]) -> Outcome>,
}

impl Check {
    pub(crate) const fn new(name: &'static str, about: &'static str, run: fn(&Repo) -> Outcome) -> Self {
        Self { name, about, run, record: None }
    }

    pub(crate) const fn recorded_by(mut self, record: fn(&Repo, &[&str]) -> Outcome) -> Self {
        self.record = Some(record);
        self
    }
}
