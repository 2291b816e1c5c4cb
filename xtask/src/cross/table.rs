//! The table of results: as it is printed, and in `PLATFORMS.md`.

use std::time::Duration;

use crate::complaints::Complaints;
use crate::repo::Repo;

use super::report::Report;
use super::targets::TARGETS;

pub(crate) const FILE: &str = "PLATFORMS.md";
const BEGIN: &str = "<!-- Written by `cargo xtask cross`: -->\n";
const END: &str = "<!-- End of what `cargo xtask cross` writes. -->\n";
const HEAD: [&str; 10] =
    ["target", "how", "profile", "built", "programs", "passed", "failed", "skipped", "time", "when"];

/// The results of one target in one profile.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) target: &'static str,
    pub(crate) how: &'static str,
    pub(crate) profile: &'static str,
    /// The parts that were built, and those that were not.
    pub(crate) built: Vec<&'static str>,
    pub(crate) broken: Vec<&'static str>,
    /// Of what ran.
    pub(crate) report: Option<Report>,
    pub(crate) time: Duration,
    pub(crate) when: String,
}

impl Row {
    pub(crate) fn is_good(&self) -> bool {
        self.broken.is_empty() && self.report.as_ref().is_none_or(|report| report.failed == 0)
    }

    fn cells(&self) -> Vec<String> {
        let built = match (self.built.is_empty(), self.broken.is_empty()) {
            (_, true) => self.built.join(", "),
            (true, false) => format!("**not {}**", self.broken.join(", ")),
            (false, false) => format!("{}; **not {}**", self.built.join(", "), self.broken.join(", ")),
        };
        let mut cells = vec![self.target.to_owned(), self.how.to_owned(), self.profile.to_owned(), built];
        match &self.report {
            Some(Report { programs, passed, failed, skipped, .. }) => {
                cells.extend([programs, passed, failed, skipped].map(ToString::to_string));
            }
            None => cells.extend(["–"; 4].map(str::to_owned)),
        }
        let seconds = self.time.as_secs();
        cells.push(format!("{}:{:02}", seconds / 60, seconds % 60));
        cells.push(self.when.clone());
        cells
    }
}

/// The rows in columns.
pub(crate) fn shown(rows: &[Row]) -> String {
    let mut lines = vec![HEAD.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(Row::cells));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    lines.iter().map(line).collect()
}

/// Puts the rows into `PLATFORMS.md`, in place of those of the same targets and profiles.
pub(crate) fn record(repo: &Repo, rows: &[Row]) -> Result<(), Complaints> {
    let path = repo.path(FILE);
    let text = repo.read(&path)?;
    let text = renewed(&text, rows).ok_or_else(|| vec![format!("{FILE} has lost the marks of its table")])?;
    repo.write(&path, text)
}

fn renewed(text: &str, rows: &[Row]) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (old, after) = rest.split_once(END)?;
    // The rows that stay, and the new ones.
    let mut lines: Vec<String> =
        rows.iter().map(|row| format!("| {} |\n", row.cells().join(" | "))).collect();
    let new: Vec<_> = lines.iter().filter_map(|line| key(line)).collect();
    let kept = old.lines().filter(|line| key(line).is_some_and(|key| !new.contains(&key)));
    let kept: Vec<String> = kept.map(|line| format!("{line}\n")).collect();
    lines.extend(kept);
    lines.sort_by_key(|line| key(line));
    let head = format!("| {} |\n|{}\n", HEAD.join(" | "), " --- |".repeat(HEAD.len()));
    Some(format!("{before}{BEGIN}{head}{}{END}{after}", lines.concat()))
}

/// The place of a row: that of its target in the table of targets, and its profile. The head of the
/// table, and targets that are no longer known, have none.
fn key(line: &str) -> Option<(usize, String)> {
    let mut cells = line.trim().strip_prefix('|')?.split('|').map(str::trim);
    let (target, _how, profile) = (cells.next()?, cells.next()?, cells.next()?);
    Some((TARGETS.iter().position(|known| known.name == target)?, profile.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(target: &'static str, passed: usize, failed: usize) -> Row {
        let report = Report { programs: 1, passed, failed, skipped: 0, complaints: Vec::new() };
        Row {
            target,
            how: "native",
            profile: "debug",
            built: vec!["context"],
            broken: Vec::new(),
            report: Some(report),
            time: Duration::from_secs(61),
            when: "today".to_owned(),
        }
    }

    #[test]
    fn rows_that_did_not_run_stay() {
        let text = format!("above\n{BEGIN}{END}below\n");
        let text = renewed(&text, &[row("x86_64-unknown-linux-musl", 3, 0)]).unwrap();
        let text = renewed(&text, &[row("aarch64-unknown-linux-gnu", 1, 2)]).unwrap();
        let text = renewed(&text, &[row("x86_64-unknown-linux-musl", 5, 0)]).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "above");
        assert!(lines[4].starts_with("| aarch64-unknown-linux-gnu | native | debug | context | 1 | 1 | 2 |"));
        assert!(lines[5].starts_with("| x86_64-unknown-linux-musl | native | debug | context | 1 | 5 | 0 |"));
        assert!(lines[5].ends_with("| 1:01 | today |"));
        assert_eq!(lines.last(), Some(&"below"));
        assert_eq!(lines.len(), 8);
        assert_eq!(renewed("no marks", &[]), None);
    }

    #[test]
    fn what_failed_or_was_not_built_is_not_good() {
        assert!(row("a", 1, 0).is_good());
        assert!(!row("a", 1, 1).is_good());
        let broken = Row { broken: vec!["greenthread"], report: None, ..row("a", 1, 0) };
        assert!(!broken.is_good());
        assert!(shown(&[broken]).contains("context; **not greenthread**"));
    }

    #[test]
    fn the_file_has_its_marks() {
        let repo = Repo::here();
        let text = repo.read(&repo.path(FILE)).unwrap();
        assert!(renewed(&text, &[]).is_some());
    }
}
