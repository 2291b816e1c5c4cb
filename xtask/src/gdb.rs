//! gdb, driven by a script. Its output is made the same on each machine.

use std::fmt::Write;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use exercises::child::{self, End};
use exercises::solution::Profile;

use crate::complaints::Complaints;
use crate::listing::{Place, Program};
use crate::repo::{Repo, TIMEOUT};
use crate::tools;

/// Runs a script of gdb on a program in debug. Returns all output, with the commands.
pub(crate) fn run(repo: &Repo, program: &Program, script: &Path) -> Result<String, Complaints> {
    run_at(repo, Place::Here, program, script)
}

/// The same on some machine. An emulator has a door for debuggers, and the program waits there.
pub(crate) fn run_at(
    repo: &Repo,
    place: Place<'_>,
    program: &Program,
    script: &Path,
) -> Result<String, Complaints> {
    let name = if let Place::On(_) = place { "gdb-multiarch" } else { "gdb" };
    let gdb = tools::program(name, &[name])?;
    place.build(repo, std::slice::from_ref(program), Profile::Debug)?;
    let path = place.path(repo, program, Profile::Debug);
    let mut emulator = Emulator::start(place, &path)?;
    // Both outputs go into one pipe, so that complaints stand where they belong.
    let mut command = Command::new("sh");
    command.args(["-c", r#"exec "$@" 2>&1"#, "sh"]).arg(gdb).args(["--batch", "-nx"]);
    for setting in
        ["pagination", "confirm", "style enabled", "debuginfod enabled", "auto-load python-scripts"]
    {
        command.args(["-ex", &format!("set {setting} off")]);
    }
    command.args(["-ex", &format!("set exec-wrapper {}", environment(&path))]);
    if let Some(emulator) = &emulator {
        command.args(["-ex", &format!("file {}", path.display())]);
        command.args(["-ex", "set sysroot /nowhere"]);
        command.args(["-ex", &format!("target remote localhost:{}", emulator.port)]);
    }
    for setting in ["width 0", "disassembly-flavor intel", "print asm-demangle on", "trace-commands on"] {
        command.args(["-ex", &format!("set {setting}")]);
    }
    command.arg("-x").arg(script);
    command.arg(&path);
    command.current_dir(repo.path("")).env_remove("RUST_BACKTRACE").env("LC_ALL", "C.UTF-8");
    let run =
        child::run(&mut command, TIMEOUT).map_err(|error| vec![format!("gdb can't be started: {error}")])?;
    if let Some(emulator) = &mut emulator {
        emulator.end();
    }
    if run.end == End::Status(0) {
        return Ok(run.stdout);
    }
    let last: Vec<&str> = run.stdout.lines().collect();
    let last = &last[last.len().saturating_sub(8)..];
    Err(vec![format!("{}: gdb has ended with {}\n{}", repo.name(script), run.end, last.join("\n"))])
}

/// An emulator that waits for a debugger.
struct Emulator {
    process: Child,
    port: u16,
}

impl Emulator {
    /// Starts the one for this place, if it takes one.
    fn start(place: Place<'_>, program: &Path) -> Result<Option<Self>, Complaints> {
        let Place::On(tools) = place else {
            return Ok(None);
        };
        let failed = |error: io::Error| vec![format!("an emulator can't be started: {error}")];
        // Nobody listens there any more, and the emulator will in a moment.
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|it| it.local_addr()).map_err(failed)?.port();
        let mut command = tools.debugged(program, port);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().map_err(failed)?;
        // It says nothing when it is ready. gdb tries for some seconds by itself.
        thread::sleep(Duration::from_secs(2));
        Ok(Some(Self { process, port }))
    }

    /// It ends with its program. If gdb has left that half-way, it doesn't.
    fn end(&mut self) {
        for _ in 0..20 {
            if self.process.try_wait().is_ok_and(|it| it.is_some()) {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// How gdb starts the program. The kernel puts its name, twice, and its environment above its
/// stack. The alignment of the stack to the processor's cache lines depends on their size. So the
/// program gets an environment that makes up for its name.
fn environment(program: &Path) -> String {
    let name = program.as_os_str().len();
    format!("env -i PAD={}", "-".repeat(1024_usize.saturating_sub(2 * name)))
}

/// What recordings depend on: the versions of the compiler and the debugger, and whether the
/// sources of std are installed. Where they are, the compiler writes their paths into programs,
/// which moves what lies behind these.
pub(crate) fn versions(repo: &Repo) -> Result<String, Complaints> {
    let gdb = repo.output(Command::new(tools::program("gdb", &["gdb"])?).arg("--version"))?;
    let gdb = gdb.lines().next().unwrap_or_default().rsplit(' ').next().unwrap_or_default();
    let rustc = repo.output(Command::new("rustc").arg("--version"))?;
    let rustc = rustc.split(" (").next().unwrap_or_default();
    let sysroot = repo.output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library").exists();
    Ok(format!("{rustc}{}, gdb {gdb}", if sources { " with rust-src" } else { "" }))
}

/// A session as a reader would have seen it: with commands behind a prompt, and nothing that
/// varies.
pub(crate) fn transcript(repo: &Repo, output: &str) -> String {
    const NOISE: [&str; 12] = [
        "warning: Could not load shared library",
        "warning: remote target does not support",
        "warning: Missing auto-load script",
        "of file /",
        "Use `info auto-load",
        "Do you need \"set solib-search-path\"",
        "Use the \"info sharedlibrary\"",
        "[Thread debugging using",
        "Using host libthread_db",
        "warning: Error disabling address space",
        "warning: opening /proc/",
        "Download failed",
    ];
    let root = format!("{}/", repo.path("").display().to_string().trim_end_matches('/'));
    let target = format!("{}/", repo.target().display());
    let mut addresses = Addresses::default();
    let mut text = String::new();
    // The output before the first command is about gdb itself.
    for line in output.lines().skip_while(|line| !line.starts_with('+')) {
        if NOISE.iter().any(|noise| line.starts_with(noise)) {
            continue;
        }
        let command = line.strip_prefix('+').filter(|_| !line.starts_with("++"));
        let line = match command {
            Some(command) => format!("(gdb) {command}"),
            None => line.to_owned(),
        };
        let line = line.replace(&target, "target/").replace(&root, "");
        let line = masked(&masked(&line, "/rustc/", is_hex, "…"), "17h", is_hex, "…");
        let line = ["process ", "LWP ", "::h"].iter().fold(line, |line, before| {
            let (stable, wanted): (_, fn(char) -> bool) =
                if *before == "::h" { ("…", is_hex) } else { ("4242", |it| it.is_ascii_digit()) };
            masked(&line, before, wanted, stable)
        });
        text += addresses.renamed(&line).trim_end();
        text.push('\n');
    }
    text
}

fn is_hex(character: char) -> bool {
    character.is_ascii_digit() || ('a'..='f').contains(&character)
}

/// Replaces the run of such characters behind `before`. Of hex digits, only a run of 16 or more is
/// replaced.
fn masked(line: &str, before: &str, wanted: fn(char) -> bool, stable: &str) -> String {
    let (mut done, mut rest) = (String::new(), line);
    while let Some((left, right)) = rest.split_once(before) {
        let end = right.find(|character| !wanted(character)).unwrap_or(right.len());
        let is_long = end >= 16 || (stable != "…" && end > 0);
        write!(done, "{left}{before}{}", if is_long { stable } else { &right[..end] })
            .expect("a string takes all");
        rest = &right[end..];
    }
    done + rest
}

/// Stable names for addresses. Distances between neighbours are kept, so that the reader's
/// calculations are right. The place of each neighbourhood is made up.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    /// The address at which each neighbourhood was found, and the one that it is given.
    neighbourhoods: Vec<(u64, u64)>,
}

impl Addresses {
    /// The greatest distance between neighbours. The stacks of a program lie in one neighbourhood.
    const NEAR: u64 = 4 << 20;
    /// Numbers below this range are small numbers. Above it lies nothing that a program may touch.
    const RANGE: std::ops::Range<u64> = 1 << 32..1 << 47;

    /// The line with its addresses renamed, each as wide as it was.
    pub(crate) fn renamed(&mut self, line: &str) -> String {
        let (mut done, mut rest) = (String::new(), line);
        while let Some((left, right)) = rest.split_once("0x") {
            let end = right.find(|character| !is_hex(character)).unwrap_or(right.len());
            let digits = &right[..end];
            done += left;
            match u64::from_str_radix(digits, 16) {
                Ok(address) => write!(done, "0x{:0width$x}", self.rename(address), width = digits.len()),
                Err(_) => write!(done, "0x{digits}"),
            }
            .expect("a string takes all");
            rest = &right[end..];
        }
        done + rest
    }

    /// The stable name of an address, or the number itself if it is no address.
    pub(crate) fn rename(&mut self, address: u64) -> u64 {
        if !Self::RANGE.contains(&address) {
            return address;
        }
        let near = self.neighbourhoods.iter().find(|(found, _)| found.abs_diff(address) < Self::NEAR);
        let (found, stable) = near.copied().unwrap_or_else(|| {
            // Code and static data of a program lie low, stacks high.
            let base = if address < 0x7000_0000_0000 { 0x5555_5500_0000 } else { 0x7fff_0000_0000 };
            let others =
                self.neighbourhoods.iter().filter(|(_, stable)| stable >> 40 == base >> 40).count() as u64;
            // The alignment within 16 bytes matters, and is kept.
            let new = (address, base + (others << 24) + 0x8000 + address % 16);
            self.neighbourhoods.push(new);
            new
        });
        stable.wrapping_add(address.wrapping_sub(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_their_distances() {
        let mut addresses = Addresses::default();
        let first =
            addresses.renamed("rsp 0x7ffd12345678 rbp 0x00007ffd12345680 rip 0x55aa12345679 and 0x10");
        assert_eq!(first, "rsp 0x7fff00008008 rbp 0x00007fff00008010 rip 0x555555008009 and 0x10");
        assert_eq!(addresses.renamed("0x7ffd12345670, 0x7f0012345670"), "0x7fff00008000, 0x7fff01008000");
        assert_eq!(addresses.renamed("0xffffffffffffffff 0x 0xg"), "0xffffffffffffffff 0x 0xg");
    }

    #[test]
    fn what_varies_is_not_in_a_transcript() {
        let repo = Repo::here();
        let root = repo.path("book");
        let output = format!(
            "warning: gdb speaks of itself\n+run\n[Thread debugging using libthread_db enabled]\n\
             [Inferior 1 (process 123) exited normally]\n\
             at {}/x.rs:1, /rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/y.rs\n",
            root.display()
        );
        assert_eq!(
            transcript(&repo, &output),
            "(gdb) run\n[Inferior 1 (process 4242) exited normally]\nat book/x.rs:1, /rustc/…/library/y.rs\n"
        );
    }
}
