//! Whether the models see that a line is wrong. Each mutation of a table is made in a copy of the
//! tree, one at a time, and the models must find it.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use exercises::child::{self, End};

use crate::complaints::Complaints;
use crate::repo::Repo;

mod table;

use table::{Caught, LOGIC, Mutant, ORDERINGS};

/// The models need a minute or two. A mutant that hangs counts as found.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Runs the mutants whose file has one of `names` in its path, or all.
pub(crate) fn mutants(repo: &Repo, names: &[&str]) -> Result<ExitCode, Complaints> {
    check(repo)?;
    let is_chosen =
        |mutant: &&Mutant| names.is_empty() || names.iter().any(|name| mutant.file.contains(name));
    let chosen: Vec<&Mutant> = ORDERINGS.iter().chain(LOGIC).filter(is_chosen).collect();
    let copy = repo.target().join("mutants");
    copy_tree(repo, &copy.join("tree"))?;

    let mut sound: Vec<&str> = Vec::new();
    let mut survivors = 0;
    for (number, mutant) in chosen.iter().enumerate() {
        let (what, start) = (format!("{}/{} {}", number + 1, chosen.len(), shown(mutant)), Instant::now());
        let models = match mutant.caught {
            Caught::Models(models) => models,
            Caught::Equivalent(why) => {
                println!("same      {what}: {why}");
                continue;
            }
        };
        // A model that fails without a mutation finds nothing.
        if !sound.contains(&models) {
            if run(repo, &copy, models)? != End::Status(0) {
                return Err(vec![format!("{models} fails without a mutation")]);
            }
            sound.push(models);
        }
        let path = copy.join("tree/crates/greenthread/src").join(mutant.file);
        let text = repo.read(&path)?;
        repo.write(&path, text.replacen(mutant.text, mutant.by, 1))?;
        let end = run(repo, &copy, models);
        repo.write(&path, text)?;
        let end = end.map_err(|complaints| vec![format!("{what}: {}", complaints.join("\n"))])?;
        let survives = end == End::Status(0);
        survivors += usize::from(survives);
        println!(
            "{}  {what}: {models} {end}, {:.0?}",
            if survives { "SURVIVES" } else { "caught  " },
            start.elapsed()
        );
    }
    println!("{survivors} of {} survive", chosen.len());
    Ok(if survivors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks that the text of each row is in its file exactly once.
pub(crate) fn check(repo: &Repo) -> Result<String, Complaints> {
    let mut complaints = Vec::new();
    for mutant in ORDERINGS.iter().chain(LOGIC) {
        let text = repo.read(&repo.path("crates/greenthread/src").join(mutant.file))?;
        let count = text.matches(mutant.text).count();
        if count != 1 {
            complaints.push(format!("{} is there {count} times", shown(mutant)));
        }
    }
    let count = format!("{} orderings, {} lines of logic", ORDERINGS.len(), LOGIC.len());
    if complaints.is_empty() { Ok(count) } else { Err(complaints) }
}

fn shown(mutant: &Mutant) -> String {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{}: `{}` -> `{}`", mutant.file, one_line(mutant.text), one_line(mutant.by))
}

/// Builds the models, which must succeed, and runs those whose names begin with `models`.
fn run(repo: &Repo, copy: &Path, models: &str) -> Result<End, Complaints> {
    let mut build = repo.cargo();
    build.current_dir(copy.join("tree")).args(["test", "--no-run", "-p", "greenthread-models", "--lib"]);
    build.arg("--target-dir").arg(copy.join("target"));
    let built = child::run(&mut build, TIMEOUT).map_err(|error| vec![error.to_string()])?;
    // Cargo prints the path of the test program. Started without Cargo, it can be killed.
    let program =
        built.stderr.lines().find_map(|line| line.trim().strip_prefix("Executable ")?.rsplit_once('('));
    let Some((_, program)) = program.filter(|_| built.end == End::Status(0)) else {
        return Err(vec![format!("it doesn't build\n{}", built.stderr)]);
    };
    let mut tests = Command::new(program.trim_end_matches(')'));
    tests.arg(models).env("RUST_BACKTRACE", "0");
    let run = child::run(&mut tests, TIMEOUT).map_err(|error| vec![error.to_string()])?;
    // A filter that no model has would pass everything.
    if run.stdout.contains("running 0 tests") {
        return Err(vec![format!("there is no model {models}")]);
    }
    Ok(run.end)
}

/// Copies the files that git tracks or would track.
fn copy_tree(repo: &Repo, to: &Path) -> Result<(), Complaints> {
    let mut git = Command::new("git");
    let files = repo.output(git.args(["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    for file in files.lines().filter(|file| repo.path(file).is_file()) {
        let bytes = std::fs::read(repo.path(file)).map_err(|error| vec![format!("{file}: {error}")])?;
        // A file that has not changed keeps its time, so that Cargo rebuilds nothing.
        if std::fs::read(to.join(file)).ok().as_ref() != Some(&bytes) {
            repo.write(&to.join(file), bytes)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_line_of_the_table_is_in_the_sources() {
        super::check(&crate::repo::Repo::here())
            .unwrap_or_else(|complaints| panic!("{}", complaints.join("\n")));
    }
}
