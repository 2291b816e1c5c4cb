//! The packages of `book/listings`, and their programs.

use std::path::PathBuf;

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

    /// The file with the output that the chapters show for this profile.
    pub(crate) fn expected(&self, repo: &Repo, profile: Profile) -> PathBuf {
        let folder = repo.path(&format!("book/listings/{}/expected", self.package));
        let special = folder.join(format!("{}.{}.txt", self.name, profile.name()));
        if special.exists() { special } else { folder.join(format!("{}.txt", self.name)) }
    }

    /// The path at which Cargo puts it.
    pub(crate) fn path(&self, repo: &Repo, profile: Profile) -> PathBuf {
        repo.target().join(profile.name()).join(format!("{}{}", self.name, std::env::consts::EXE_SUFFIX))
    }
}

/// Builds the programs of the packages of these.
pub(crate) fn build(repo: &Repo, programs: &[Program], profile: Profile) -> Result<(), Complaints> {
    let mut packages: Vec<&str> = programs.iter().map(|program| &*program.package).collect();
    packages.dedup();
    let mut build = repo.cargo();
    // Readers build without such flags.
    build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    build.args(["build", "--quiet", "--bins"]);
    for package in packages {
        build.args(["--package", package]);
    }
    if profile == Profile::Release {
        build.arg("--release");
    }
    repo.output(&mut build).map(drop)
}
