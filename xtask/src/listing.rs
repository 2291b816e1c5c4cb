//! The packages of `book/listings`, and their programs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use exercises::machine::{Machine, Tools};
use exercises::solution::Profile;

use crate::complaints::Complaints;
use crate::repo::Repo;

/// A program of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) package: String,
    pub(crate) name: String,
}

impl Program {
    /// All programs of all listings, in their order.
    pub(crate) fn all(repo: &Repo) -> Vec<Self> {
        let mut programs = Vec::new();
        for folder in repo.entries(&repo.path("book/listings")) {
            let Some(package) = folder.file_name().map(|name| name.to_string_lossy().into_owned()) else {
                continue;
            };
            if folder.join("src/main.rs").exists() {
                programs.push(Self { name: package.clone(), package: package.clone() });
            }
            for file in repo.files(&format!("book/listings/{package}/src/bin"), "rs") {
                let name = file.file_stem().expect("a source has a name").to_string_lossy().into_owned();
                programs.push(Self { package: package.clone(), name });
            }
        }
        programs
    }

    /// The one that is called `PACKAGE PROGRAM`.
    pub(crate) fn named(repo: &Repo, words: &str) -> Result<Self, Complaints> {
        let found = Self::all(repo).into_iter().find(|it| words == format!("{} {}", it.package, it.name));
        found.ok_or_else(|| vec![format!("no listing has a program `{words}`; wanted: PACKAGE PROGRAM")])
    }

    /// Whether it only measures. Its output is figures, which differ from run to run.
    pub(crate) fn is_measurement(&self) -> bool {
        self.name.starts_with("measure-")
    }

    /// The file with the output that the chapters show for this machine and this profile.
    pub(crate) fn expected(&self, repo: &Repo, machine: &str, profile: Profile) -> PathBuf {
        let folder = repo.path(&format!("book/listings/{}/expected", self.package));
        let special = [machine, profile.name()].map(|it| folder.join(format!("{}.{it}.txt", self.name)));
        let special = special.into_iter().find(|path| path.exists());
        special.unwrap_or_else(|| folder.join(format!("{}.txt", self.name)))
    }
}

/// The machine on which programs run: this one, or one of those that the book also speaks of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    Here,
    On(&'a Tools),
}

impl Place<'_> {
    /// The path at which Cargo puts a program.
    pub(crate) fn path(self, repo: &Repo, program: &Program, profile: Profile) -> PathBuf {
        match self {
            Self::Here => repo.target().join(profile.name()).join(format!(
                "{}{}",
                program.name,
                std::env::consts::EXE_SUFFIX
            )),
            Self::On(tools) => self.target(repo).join(tools.path(&program.name, profile)),
        }
    }

    /// What runs a program that was built.
    pub(crate) fn command(self, repo: &Repo, program: &Program, profile: Profile) -> Command {
        let path = self.path(repo, program, profile);
        match self {
            Self::Here => Command::new(path),
            Self::On(tools) => tools.run(&path),
        }
    }

    /// The folder where Cargo builds.
    fn target(self, repo: &Repo) -> PathBuf {
        match self {
            Self::Here => repo.target().to_owned(),
            Self::On(..) => machines_target(repo),
        }
    }

    /// Builds the programs of the packages of these.
    pub(crate) fn build(self, repo: &Repo, programs: &[Program], profile: Profile) -> Result<(), Complaints> {
        let mut packages: Vec<&str> = programs.iter().map(|program| &*program.package).collect();
        packages.dedup();
        let mut build = match self {
            Self::Here => {
                let mut cargo = repo.cargo();
                cargo.arg("build");
                cargo
            }
            Self::On(tools) => tools.cargo("build"),
        };
        // Readers build without such flags.
        build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        build.args(["--quiet", "--bins", "--target-dir"]).arg(self.target(repo));
        for package in packages {
            build.args(["--package", package]);
        }
        if profile == Profile::Release {
            build.arg("--release");
        }
        repo.output(&mut build).map(drop)
    }
}

/// The folder where Cargo builds for other machines. Their compiler may be another one.
pub(crate) fn machines_target(repo: &Repo) -> PathBuf {
    repo.target().join("machines")
}

/// The machines that the programs of each package run on, beside this one, by
/// `book/machines.txt`. `only` says: not on this one.
pub(crate) fn machines(repo: &Repo) -> Result<BTreeMap<String, Vec<String>>, Complaints> {
    let path = repo.path("book/machines.txt");
    let text = repo.read(&path)?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entries = lines.map(|line| {
        let (package, machines) = line
            .split_once(": ")
            .ok_or_else(|| vec![format!("{}: `{line}` isn't `PACKAGE: MACHINE..`", repo.name(&path))])?;
        let machines: Vec<String> = machines.split_whitespace().map(str::to_owned).collect();
        match machines.iter().find(|it| *it != "only" && Machine::named(it).is_none()) {
            Some(unknown) => Err(vec![format!("{}: there is no machine `{unknown}`", repo.name(&path))]),
            None => Ok((package.to_owned(), machines)),
        }
    });
    entries.collect()
}

/// All programs that run here.
pub(crate) fn here(repo: &Repo) -> Result<Vec<Program>, Complaints> {
    let elsewhere = machines(repo)?;
    let is_here = |it: &Program| {
        elsewhere.get(&it.package).is_none_or(|machines| machines.iter().all(|it| it != "only"))
    };
    Ok(Program::all(repo).into_iter().filter(is_here).collect())
}
