//! Machines other than the reader's, and what builds and runs programs for them here.
//!
//! Programs are built by the usual compiler, if it has the machine's standard library, or by the
//! nightly one together with the library's source. They are run by an emulator, or by Wine. Each of
//! these can be another one: Cargo's variables for a linker and a runner count here, too.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::solution::Profile;

/// A machine.
#[derive(Debug)]
pub struct Machine {
    /// The name that the book gives it.
    pub name: &'static str,
    /// Rust's name for it.
    pub target: &'static str,
    linker: &'static str,
    runner: &'static [&'static str],
    packages: &'static str,
    is_here: bool,
}

/// The machines of chapters 11 and 12.
pub const ALL: &[Machine] = &[
    Machine {
        name: "aarch64",
        target: "aarch64-unknown-linux-gnu",
        linker: "aarch64-linux-gnu-gcc",
        runner: &["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
        packages: "qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
        is_here: cfg!(all(target_os = "linux", target_arch = "aarch64")),
    },
    Machine {
        name: "riscv64",
        target: "riscv64gc-unknown-linux-gnu",
        linker: "riscv64-linux-gnu-gcc",
        runner: &["qemu-riscv64", "-L", "/usr/riscv64-linux-gnu"],
        packages: "qemu-user gcc-riscv64-linux-gnu libc6-dev-riscv64-cross",
        is_here: cfg!(all(target_os = "linux", target_arch = "riscv64")),
    },
    Machine {
        name: "windows",
        target: "x86_64-pc-windows-gnu",
        linker: "x86_64-w64-mingw32-gcc",
        runner: &["wine"],
        packages: "wine gcc-mingw-w64-x86-64",
        is_here: cfg!(all(windows, target_arch = "x86_64")),
    },
];

/// What builds and runs programs for a machine.
#[derive(Debug)]
pub struct Tools {
    machine: &'static Machine,
    /// Whether the nightly compiler builds the standard library, too.
    builds_std: bool,
    linker: Option<OsString>,
    /// The program that runs the machine's programs, and its arguments. None for this machine.
    runner: Vec<String>,
}

impl Machine {
    /// The machine of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|machine| machine.name == name)
    }

    /// Looks for what it takes.
    ///
    /// # Errors
    /// If something is missing: what it is, and how to get it.
    pub fn tools(&'static self) -> Result<Tools, String> {
        let mut tools = Tools { machine: self, builds_std: false, linker: None, runner: Vec::new() };
        if self.is_here {
            return Ok(tools);
        }
        let missing = |what: &str| Err(format!("{what} is missing: apt-get install {}", self.packages));
        tools.runner = match self.variable("RUNNER") {
            Some(runner) => runner.to_string_lossy().split_whitespace().map(str::to_owned).collect(),
            None if find(self.runner[0]).is_some() => self.runner.iter().map(|&it| it.to_owned()).collect(),
            None => return missing(self.runner[0]),
        };
        tools.linker = match self.variable("LINKER") {
            Some(linker) => Some(linker),
            None if find(self.linker).is_some() => Some(self.linker.into()),
            None => return missing(self.linker),
        };
        let has_std = |toolchain: &[&str]| {
            let mut rustc = Command::new("rustc");
            rustc.args(toolchain).args(["--print", "target-libdir", "--target", self.target]);
            output(&mut rustc).is_some_and(|folder| Path::new(folder.trim()).exists())
        };
        tools.builds_std = !has_std(&[]);
        if tools.builds_std && !has_source() {
            return Err(format!("its standard library is missing: rustup target add {}", self.target));
        }
        Ok(tools)
    }

    /// Cargo's variable for this machine.
    fn variable(&self, what: &str) -> Option<OsString> {
        let target = self.target.to_uppercase().replace('-', "_");
        env::var_os(format!("CARGO_TARGET_{target}_{what}")).filter(|it| !it.is_empty())
    }
}

impl Tools {
    /// `cargo COMMAND` for the machine.
    #[must_use]
    pub fn cargo(&self, command: &str) -> Command {
        let target = self.machine.target;
        let usual = env::var_os("CARGO").filter(|_| !self.builds_std);
        let mut cargo = Command::new(usual.unwrap_or_else(|| "cargo".into()));
        cargo.arg(command);
        if self.machine.is_here {
            return cargo;
        }
        cargo.args(["--target", target]);
        if self.builds_std {
            // The Cargo that runs us may have named its own compiler.
            cargo.arg("-Zbuild-std").env_remove("RUSTC").env("RUSTUP_TOOLCHAIN", "nightly");
        }
        let variable = target.to_uppercase().replace('-', "_");
        if let Some(linker) = &self.linker {
            cargo.env(format!("CARGO_TARGET_{variable}_LINKER"), linker);
        }
        cargo.env(format!("CARGO_TARGET_{variable}_RUNNER"), self.runner.join(" "));
        quiet(&mut cargo);
        cargo
    }

    /// Where Cargo puts a program, seen from the folder in which it builds.
    #[must_use]
    pub fn path(&self, program: &str, profile: Profile) -> PathBuf {
        let target = if self.machine.is_here { "" } else { self.machine.target };
        let end = if self.machine.name == "windows" { ".exe" } else { "" };
        Path::new(target).join(profile.name()).join(format!("{program}{end}"))
    }

    /// Runs a program of the machine.
    #[must_use]
    pub fn run(&self, program: &Path) -> Command {
        match &self.runner[..] {
            [] => Command::new(program),
            [runner, arguments @ ..] => {
                let mut command = Command::new(runner);
                command.args(arguments).arg(program);
                quiet(&mut command);
                command
            }
        }
    }

    /// Runs a program of the machine up to its first instruction, where a debugger may come to it
    /// through this port.
    #[must_use]
    pub fn debugged(&self, program: &Path, port: u16) -> Command {
        let (runner, arguments) = self.runner.split_first().expect("an emulator");
        let mut command = Command::new(runner);
        if self.machine.name == "windows" {
            command.args(arguments).args(["winedbg", "--gdb", "--no-start", "--port"]);
            command.arg(port.to_string());
        } else {
            command.arg("-g").arg(port.to_string()).args(arguments);
        }
        command.arg(program);
        quiet(&mut command);
        command
    }

    /// What runs its programs, and which version: "Wine 10.0", "qemu 7.2.22".
    #[must_use]
    pub fn emulator(&self) -> String {
        let Some(runner) = self.runner.first() else {
            return "no emulator".to_owned();
        };
        let said = output(quiet(Command::new(runner).arg("--version"))).unwrap_or_default();
        let version = said.split([' ', '\n']).find_map(|word| {
            let word = word.trim_start_matches("wine-");
            word.starts_with(|it: char| it.is_ascii_digit()).then_some(word)
        });
        let name = if self.machine.name == "windows" { "Wine" } else { "qemu" };
        format!("{name} {}", version.unwrap_or("of an unknown version").trim())
    }

    /// The version of the compiler: "rustc 1.95.0".
    #[must_use]
    pub fn rustc(&self) -> String {
        let mut rustc = Command::new("rustc");
        if self.builds_std {
            rustc.env("RUSTUP_TOOLCHAIN", "nightly");
        }
        let version = output(rustc.arg("--version")).unwrap_or_default();
        version.split(" (").next().unwrap_or_default().to_owned()
    }

    /// The name under which an output is kept that only an emulator gives.
    #[must_use]
    pub fn name(&self) -> &'static str {
        if self.machine.is_here { "here" } else { self.machine.name }
    }

    /// The program that runs the machine's programs, and its arguments.
    #[must_use]
    pub fn runner(&self) -> &[String] {
        &self.runner
    }
}

/// Whether the nightly compiler can build the standard library.
fn has_source() -> bool {
    if env::var_os("__CARGO_TESTS_ONLY_SRC_ROOT").is_some_and(|it| Path::new(&it).exists()) {
        return true;
    }
    let mut rustc = Command::new("rustc");
    rustc.env("RUSTUP_TOOLCHAIN", "nightly").args(["--print", "sysroot"]);
    let source = "lib/rustlib/src/rust/library/std";
    output(&mut rustc).is_some_and(|sysroot| Path::new(sysroot.trim()).join(source).exists())
}

/// Wine talks of all that it hasn't implemented, unless it's told not to.
fn quiet(command: &mut Command) -> &mut Command {
    if env::var_os("WINEDEBUG").is_none() {
        command.env("WINEDEBUG", "-all");
    }
    command
}

fn output(command: &mut Command) -> Option<String> {
    let run = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    run.status.success().then(|| String::from_utf8_lossy(&run.stdout).into_owned())
}

/// The program of this name in `PATH`.
fn find(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}
