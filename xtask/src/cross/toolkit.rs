//! What is needed beside stable Rust: a compiler with the standard library's source that belongs to
//! it, linkers, emulators, Wine. All of it is put there on first use.
//!
//! No toolchain is downloaded but by apt. Debian's development suite has a compiler and, in
//! `rust-src`, the very source that it was built from, so that Cargo builds `std` for any target,
//! and the two always fit. A small tree of that suite lies in a folder of the toolkit. Its compiler
//! runs on this machine, by the tree's own dynamic linker: paths, linkers and Cargo's registry are
//! this machine's. Wine runs inside the tree.
//!
//! The folder is no part of `target`: `cargo clean` must not meet a tree of a system.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::complaints::Complaints;
use crate::repo::Repo;
use crate::tools;

use super::targets::{How, Linker, Target};

/// The seconds that one test program may run.
const LIMIT: u32 = 3600;

const ZIG: &str = "0.17.1";
const ZIGBUILD: &str = "0.24.1";

/// The tree's configuration of apt: an old mirror will do, and nothing is recommended.
const APT: &str = "APT::Install-Recommends \"false\";
APT::Sandbox::User \"root\";
Acquire::Check-Valid-Until \"false\";
DPkg::Options:: \"--force-unsafe-io\";
";
const DPKG: &str = "path-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\n";

/// Runs a program inside the tree. The mounts are in a namespace of their own. They are gone when
/// it ends, and so are all processes that it leaves. (Wine leaves a server.)
const ENTER: &str = r#"#!/bin/sh
exec unshare --mount --pid --fork --kill-child sh -ec '
tree=$1
shift
mount --rbind /dev "$tree/dev"
mount -t proc proc "$tree/proc"
for folder in /*; do
    case $folder in /bin | /boot | /dev | /etc | /lib* | /proc | /run | /sbin | /sys | /usr | /var) continue ;; esac
    [ -d "$folder" ] && [ ! -L "$folder" ] || continue
    mkdir -p "$tree$folder"
    mount --rbind "$folder" "$tree$folder"
done
exec chroot "$tree" "$@"
' enter "{tree}" "$@"
"#;

/// Starts a program of the tree on this machine.
const TOOL: &str = r#"#!/bin/sh
exec "{tree}/lib64/ld-linux-x86-64.so.2" --library-path "{tree}/usr/lib/x86_64-linux-gnu" \
    --argv0 "$0" "{tree}/usr/bin/{name}" "$@"
"#;

/// Runs a test program for a limited time. A program of doc examples runs each in a process of its
/// own if it knows its path, and rustdoc tells it only where it starts the program itself.
const RUNNER: &str = r#"#!/bin/sh
export RUSTDOC_DOCTEST_BIN_PATH="$1"
timeout --kill-after 10 {limit} {run} "$@"
status=$?
case $status in 124 | 137) echo "cross: out of time after {limit} s: $1" >&2 ;; esac
exit $status
"#;

/// The folder with all of it.
#[derive(Debug)]
pub(crate) struct Toolkit {
    folder: PathBuf,
}

impl Toolkit {
    /// In the folder that `GREENTHREAD_CROSS` names, or in the user's cache.
    pub(crate) fn here() -> Result<Self, Complaints> {
        if !cfg!(target_arch = "x86_64") {
            return Err(vec!["foreign targets are tested from x86-64 Linux only".to_owned()]);
        }
        let named = std::env::var_os("GREENTHREAD_CROSS").map(PathBuf::from);
        let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/greenthread/cross"));
        let folder =
            named.or_else(home).ok_or_else(|| vec!["HOME or GREENTHREAD_CROSS is needed".to_owned()])?;
        let folder = std::path::absolute(folder).map_err(|error| vec![error.to_string()])?;
        Ok(Self { folder })
    }

    /// Puts what is missing for these targets into its place.
    pub(crate) fn prepare(&self, repo: &Repo, targets: &[Target]) -> Result<(), Complaints> {
        let mut packages: Vec<&str> = targets.iter().flat_map(|target| target.packages).copied().collect();
        packages.push("util-linux");
        packages.sort_unstable();
        packages.dedup();
        packages.retain(|package| !is_installed(package));
        if !packages.is_empty() && !tools::install(&packages) {
            return Err(vec![format!("these are needed: apt-get install {}", packages.join(" "))]);
        }
        self.write_scripts(repo, targets)?;
        self.plant(repo)?;
        if targets.iter().any(|target| target.how == How::Wine) {
            self.install_wine(repo)?;
        }
        for target in targets {
            if let How::Emulator { .. } = target.how {
                register(target);
            }
            match target.linker {
                Linker::Zig(_) => self.install_zig(repo)?,
                Linker::Zigbuild => {
                    self.install_zig(repo)?;
                    self.install_zigbuild(repo)?;
                }
                Linker::Gcc(_) | Linker::Nothing => {}
            }
        }
        Ok(())
    }

    /// Cargo with all that it must know to build and run programs for this target.
    pub(crate) fn cargo(&self, repo: &Repo, target: &Target) -> Command {
        let zigbuild = target.linker == Linker::Zigbuild;
        let mut cargo = self.started(repo, if zigbuild { self.zigbuild() } else { self.tool("cargo") });
        cargo.env("CARGO_TARGET_DIR", repo.target().join("cross")).env("RUST_BACKTRACE", "0");
        match target.linker {
            Linker::Gcc(gcc) => _ = cargo.env(target.variable("LINKER"), gcc),
            Linker::Zig(_) => {
                cargo.env(target.variable("LINKER"), self.script("link", target));
                // The files that begin a program are zig's.
                cargo.env(target.variable("RUSTFLAGS"), "-Clink-self-contained=no");
                cargo.env("RUSTDOCFLAGS", self.rustdoc_flags() + " -Clink-self-contained=no");
            }
            Linker::Zigbuild => _ = cargo.env("CARGO_ZIGBUILD_ZIG_PATH", self.zig()),
            Linker::Nothing => {}
        }
        if target.is_run() {
            cargo.env(target.variable("RUNNER"), self.script("run", target));
        }
        // For programs that the kernel starts: tests start themselves again.
        if let How::Emulator { root, .. } = target.how {
            cargo.env("QEMU_LD_PREFIX", root);
        }
        cargo
    }

    /// Cargo with the tree's compiler, for this machine's own target.
    pub(crate) fn plain_cargo(&self, repo: &Repo) -> Command {
        self.started(repo, self.tool("cargo"))
    }

    fn started(&self, repo: &Repo, program: PathBuf) -> Command {
        let mut cargo = Command::new(program);
        cargo.current_dir(repo.path(""));
        // Cargo and rustup have set these for the toolchain that has built this program.
        for name in ["RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            cargo.env_remove(name);
        }
        for (name, tool) in [("CARGO", "cargo"), ("RUSTC", "rustc"), ("RUSTDOC", "rustdoc")] {
            cargo.env(name, self.tool(tool));
        }
        // For the standard library, and for Cargo's option to build it.
        cargo.env("RUSTC_BOOTSTRAP", "1");
        cargo.env("RUSTDOCFLAGS", self.rustdoc_flags());
        cargo
    }

    /// rustdoc would start the compiler beside it, without the tree's dynamic linker.
    fn rustdoc_flags(&self) -> String {
        format!("-Zunstable-options --test-builder {}", self.tool("rustc").display())
    }

    /// The script that runs a program of this target.
    pub(crate) fn runner(&self, target: &Target) -> PathBuf {
        self.script("run", target)
    }

    fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    fn tool(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    fn script(&self, what: &str, target: &Target) -> PathBuf {
        self.tool(&format!("{what}-{}", target.name))
    }

    fn zig(&self) -> PathBuf {
        self.folder.join("zig/ziglang/zig")
    }

    fn zigbuild(&self) -> PathBuf {
        self.folder.join("zigbuild/bin/cargo-zigbuild")
    }

    fn write_scripts(&self, repo: &Repo, targets: &[Target]) -> Result<(), Complaints> {
        let tree = self.tree();
        let write = |path: PathBuf, text: String| -> Result<(), Complaints> {
            let text = text.replace("{tree}", &tree.to_string_lossy());
            repo.write(&path, text)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
                .map_err(|error| vec![format!("{}: {error}", path.display())])
        };
        write(self.tool("enter"), ENTER.to_owned())?;
        for name in ["cargo", "rustc", "rustdoc"] {
            write(self.tool(name), TOOL.replace("{name}", name))?;
        }
        for target in targets {
            let run = match target.how {
                How::Native => String::new(),
                How::Emulator { cpu, root, .. } => format!("qemu-{cpu} -L {root}"),
                How::Wine => {
                    let folder = self.folder.display();
                    // One at a time: each run has a server of its own. Without Wine's debugger,
                    // which would give a program that dies another status.
                    format!(
                        "flock \"{folder}/wine.lock\" \"{folder}/bin/enter\" env -C \"$PWD\" HOME=/root \
                         WINEPREFIX=\"{folder}/wine\" WINEDEBUG=-all WINEDLLOVERRIDES=winedbg.exe=d \
                         XDG_RUNTIME_DIR=/tmp wine"
                    )
                }
                How::Linked | How::Checked => continue,
            };
            let text = RUNNER.replace("{run}", &run).replace("{limit}", &LIMIT.to_string());
            write(self.script("run", target), text)?;
            if let Linker::Zig(name) = target.linker {
                let text = format!("#!/bin/sh\nexec \"{}\" cc -target {name} \"$@\"\n", self.zig().display());
                write(self.script("link", target), text)?;
            }
        }
        Ok(())
    }

    /// Makes the tree, with the compiler and the standard library's source.
    fn plant(&self, repo: &Repo) -> Result<(), Complaints> {
        let (tree, done) = (self.tree(), self.folder.join("tree.done"));
        if done.exists() {
            return Ok(());
        }
        let why = "to make a tree of Debian's development suite, with its Rust and the source of `std`";
        if !tools::is_root() {
            return Err(vec![format!(
                "root is needed once, {why}; then others can use {}",
                self.folder.display()
            )]);
        }
        let debootstrap = tools::program("debootstrap", &["debootstrap"])?;
        eprintln!("making a tree of Debian's development suite in {}; once, a minute", tree.display());
        // Of a run that was interrupted. It holds no mounts: they end with the process.
        _ = fs::remove_dir_all(&tree);
        let mut make = Command::new(debootstrap);
        make.args(["--variant=minbase", "--include=ca-certificates", "sid"]).arg(&tree).arg(mirror(repo)?);
        repo.output(&mut make)?;
        repo.write(&tree.join("etc/apt/apt.conf.d/99cross"), APT)?;
        repo.write(&tree.join("etc/dpkg/dpkg.cfg.d/01cross"), DPKG)?;
        // How this machine reaches the mirror: names, and proxies if there are any.
        for name in ["etc/resolv.conf", "etc/hosts"] {
            _ = fs::copy(Path::new("/").join(name), tree.join(name));
        }
        for path in repo.entries(Path::new("/etc/apt/apt.conf.d")) {
            let (Ok(text), Some(name)) = (fs::read_to_string(&path), path.file_name()) else { continue };
            if text.contains("Acquire::http") {
                repo.write(&tree.join("etc/apt/apt.conf.d").join(name), text)?;
            }
        }
        self.enter(repo, &["apt-get", "update", "-q"])?;
        self.enter(repo, &["apt-get", "install", "-q", "-y", "rustc", "cargo", "rust-src"])?;
        repo.write(&done, "")
    }

    fn install_wine(&self, repo: &Repo) -> Result<(), Complaints> {
        if !tools::is_root() {
            return Err(vec!["Wine runs in a Debian tree with mounts of its own: root is needed".to_owned()]);
        }
        // A link, which leads to a place inside the tree.
        if fs::symlink_metadata(self.tree().join("usr/bin/wine")).is_err() {
            eprintln!("installing Wine in the tree; once, a minute");
            // An old list may name packages that are gone.
            self.enter(repo, &["apt-get", "update", "-q"])?;
            self.enter(repo, &["apt-get", "install", "-q", "-y", "wine", "wine64"])?;
        }
        let prefix = self.folder.join("wine");
        if !prefix.join("system.reg").exists() {
            // The server writes the folder down when it ends, seconds after its last program.
            let prefix = format!("WINEPREFIX={}", prefix.display());
            let boot = "wine wineboot --init && exec /usr/lib/*/wine/wineserver --wait";
            self.enter(repo, &["env", "HOME=/root", &prefix, "WINEDEBUG=-all", "sh", "-c", boot])?;
        }
        Ok(())
    }

    fn install_zig(&self, repo: &Repo) -> Result<(), Complaints> {
        if self.zig().exists() {
            return Ok(());
        }
        eprintln!("installing zig, a linker with C libraries; once");
        let mut ask = Command::new("python3");
        ask.args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
        if !ask.status().is_ok_and(|status| status.success()) && !tools::install(&["python3-pip"]) {
            return Err(vec!["pip is needed: apt-get install python3-pip".to_owned()]);
        }
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--target"]).arg(self.folder.join("zig"));
        repo.output(pip.arg(format!("ziglang=={ZIG}"))).map(drop)
    }

    fn install_zigbuild(&self, repo: &Repo) -> Result<(), Complaints> {
        if self.zigbuild().exists() {
            return Ok(());
        }
        eprintln!("building cargo-zigbuild {ZIGBUILD}; once, a minute or more");
        let mut install = repo.cargo();
        install.args(["install", "cargo-zigbuild", "--quiet", "--locked", "--debug"]);
        install.args(["--version", &format!("={ZIGBUILD}"), "--root"]).arg(self.folder.join("zigbuild"));
        install.arg("--target-dir").arg(self.folder.join("zigbuild/build"));
        repo.output(&mut install)?;
        _ = fs::remove_dir_all(self.folder.join("zigbuild/build"));
        Ok(())
    }

    /// Runs a program inside the tree.
    fn enter(&self, repo: &Repo, command: &[&str]) -> Result<(), Complaints> {
        let mut enter = Command::new(self.tool("enter"));
        enter.args(command).env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
        repo.output(&mut enter).map(drop)
    }
}

/// The mirror that this machine's apt uses for Debian itself.
fn mirror(repo: &Repo) -> Result<String, Complaints> {
    let mut ask = Command::new("apt-get");
    ask.args(["indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"]);
    let known = repo.output(&mut ask)?;
    let found = known.lines().find_map(|line| line.strip_prefix("Debian "));
    found.map(str::to_owned).ok_or_else(|| vec!["apt knows no mirror of Debian (apt-get update?)".to_owned()])
}

fn is_installed(package: &str) -> bool {
    let mut ask = Command::new("dpkg-query");
    ask.args(["--show", "--showformat", "${db:Status-Status}"]).arg(package).stderr(Stdio::null());
    ask.output().is_ok_and(|it| it.stdout == b"installed")
}

/// Tells the kernel to start this target's programs by the emulator, as tests start themselves.
fn register(target: &Target) {
    let How::Emulator { cpu, elf, .. } = target.how else { return };
    let known = Path::new("/proc/sys/fs/binfmt_misc");
    if !known.join("register").exists() {
        let mut mount = Command::new("mount");
        _ = mount.args(["-t", "binfmt_misc", "binfmt_misc"]).arg(known).stderr(Stdio::null()).status();
    }
    let name = format!("qemu-{cpu}");
    if known.join(&name).exists() {
        return;
    }
    let line = elf.registration(&name, &format!("/usr/bin/{name}"));
    if let Err(error) = fs::write(known.join("register"), line) {
        eprintln!(
            "{}: the kernel can't be told of qemu ({error}): tests that start themselves fail",
            target.name
        );
    }
}
