//! Valgrind's memcheck.

use std::path::Path;

use super::setup::Setup;
use crate::complaints::Complaints;
use crate::repo::Repo;
use crate::tools;

/// Programs that tests start and that aren't the library's. They run outside Valgrind, and so does
/// what they start.
const OTHERS: &str = "/bin/*,/usr/*,*/cargo,*/rustc,*/rustdoc,*/strace,*/gdb";

pub(super) fn setup(repo: &Repo, findings: &Path) -> Result<Setup, Complaints> {
    let valgrind = tools::program("valgrind", &["valgrind", "libc6-dbg"])?;
    let options = [
        "--quiet",
        "--error-exitcode=99",
        // It would search all stacks of each process that ends, and what is on them may stay there.
        "--leak-check=no",
        // Each error then ends with a mark that can be counted.
        "--gen-suppressions=all",
        // OS threads that spin for each other would wait long for Valgrind's one lock.
        "--fair-sched=try",
        "--trace-children=yes",
        &format!("--trace-children-skip={OTHERS}"),
        &format!("--log-file={}/%p", findings.display()),
    ];
    let mut cargo = repo.cargo();
    cargo.env("GREENTHREAD_VALGRIND", &valgrind);
    // Some tests have times in which some steps must fit.
    cargo.env("GREENTHREAD_TEST_SLOWNESS", "20");
    // What is slightly optimised runs three times faster here. More of it confuses Valgrind, which
    // takes tests of several fields at once for tests of uninitialised memory.
    cargo.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    let runner = format!("{} {}", valgrind.display(), options.join(" "));
    Ok(Setup { cargo, folder: repo.target().join("valgrind"), runner, arguments: Vec::new() })
}
