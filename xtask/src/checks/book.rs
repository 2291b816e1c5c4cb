//! mdBook builds the book with its captions, and the two hundred lines are put beside it, to be
//! saved as files.

use std::process::Command;

use exercises::child::{self, End};

use crate::captions;
use crate::complaints::{Outcome, outcome};
use crate::repo::{Repo, TIMEOUT};
use crate::tools;

pub(super) fn check(repo: &Repo) -> Outcome {
    let mdbook = tools::mdbook(repo)?;
    let built = repo.built_book();
    let mut build = Command::new(mdbook);
    build.arg("build").arg(captions::tree(repo)?).arg("--dest-dir").arg(&built);
    let run =
        child::run(&mut build, TIMEOUT).map_err(|error| vec![format!("mdBook can't be started: {error}")])?;
    // mdBook reports an include that it can't find, and goes on.
    let is_complaint = |line: &&str| line.contains("ERROR") || line.contains("WARN");
    let mut complaints: Vec<String> =
        run.stderr.lines().chain(run.stdout.lines()).filter(is_complaint).map(str::to_owned).collect();
    if run.end != End::Status(0) && complaints.is_empty() {
        complaints.push(format!("mdBook has ended with {}\n{}", run.end, run.stderr));
    }
    for version in ["two-hundred-lines", "two-hundred-lines-bare"] {
        let source = repo.read(&repo.path(&format!("book/listings/{version}/src/main.rs")))?;
        repo.write(&built.join(format!("{version}.rs")), source)?;
    }
    outcome(complaints, || format!("open {}/index.html", repo.name(&built)))
}
