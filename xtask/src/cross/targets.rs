//! The table of targets: how each is linked, run and tested. A new target is a new row.

use How::{Checked, Emulator, Linked, Native, Wine};
use Linker::{Gcc, Zig};

/// A target, and what is done with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) how: How,
    pub(crate) linker: Linker,
    /// Debian packages of this machine that the target needs.
    pub(crate) packages: &'static [&'static str],
    /// What is built and tested, by names of `PARTS`.
    pub(crate) parts: &'static [&'static str],
    /// The packages of the book's listings that can run there.
    pub(crate) listings: &'static [&'static str],
    /// Tests that can't hold there, with the reason. (A text skips all tests whose names have it.)
    pub(crate) skipped: &'static [(&'static str, &'static str)],
}

/// How a target's programs are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// By this machine's own processor and kernel.
    Native,
    /// By qemu's emulation of a processor, on this machine's kernel. `cpu` is qemu's name for it,
    /// `root` the folder of its C library, `elf` what the header of its programs begins with.
    Emulator { cpu: &'static str, root: &'static str, elf: Elf },
    /// By Wine.
    Wine,
    /// Not at all: the test programs are built and linked.
    Linked,
    /// Not at all: the types are checked.
    Checked,
}

/// What tells the programs of a processor from those of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Elf {
    pub(crate) bits: u8,
    pub(crate) is_little: bool,
    pub(crate) machine: u8,
}

/// What links a target's programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linker {
    /// A gcc of Debian's, by its name.
    Gcc(&'static str),
    /// `zig cc`, with its name for the target.
    Zig(&'static str),
    /// `cargo zigbuild`, which knows Apple's linker arguments.
    Zigbuild,
    /// Nothing is linked.
    Nothing,
}

/// What can be built and tested of the workspace.
pub(crate) const PARTS: &[&str] = &["context", "greenthread", "models", "listings"];

const ALL: &[&str] = PARTS;
/// Without the models, which take long, and do the same on all machines: they make the threads of
/// a model run by turns, in all orders.
const MACHINE: &[&str] = &["context", "greenthread", "listings"];
const LIBRARY: &[&str] = &["context", "greenthread"];
const CONTEXT: &[&str] = &["context"];

/// The listings whose programs have a switch for AArch64 beside that for x86-64.
const FIRST_PART: &[&str] = &["a-new-stack", "inline-assembly", "the-switch", "two-hundred-lines"];
const TWO_HUNDRED_LINES: &[&str] = &["two-hundred-lines"];

/// Under qemu-user, on the kernel of another processor.
const EMULATED: &[(&str, &str)] = &[
    ("clean_under_valgrind", "Valgrind runs programs of its own processor"),
    ("gdb_walks", "a program under qemu-user can't be traced"),
    ("every_answer_is_an_end_or_an_error", "the tool would give its errors to qemu"),
    ("process::command::Command::spawn (line", "under qemu the start of a program that is missing succeeds"),
    CHECKED_STD[0],
];
/// Cargo builds `std` in the profile of the tests. As Rust ships it, it checks less.
const CHECKED_STD: &[(&str, &str)] = &[
    (
        "a_channel_too_large_for_memory",
        "`std` checks an addition for overflow, and panics with another message",
    ),
    ("every_answer_is_an_end_or_an_error", "`std` asserts that the name of an OS thread can be set"),
];
/// On this machine, with 32 bits.
const NARROW: &[(&str, &str)] = &[
    ("clean_under_valgrind", "Debian's Valgrind has no tool for such programs on this machine"),
    (
        "gdb_walks_a_green_stack",
        "Debian's 32-bit C library does not name the start of an OS thread, where the walk should end",
    ),
    CHECKED_STD[0],
    CHECKED_STD[1],
];
/// Static programs with musl.
const MUSL: &[(&str, &str)] = &[
    NARROW[0],
    (
        "gdb_walks_a_green_stack",
        "musl's start of an OS thread, where the walk should end, has no unwind tables",
    ),
    CHECKED_STD[0],
    CHECKED_STD[1],
];
/// Under Wine. (Examples whose programs or paths Windows lacks say so by `ignore-windows`.)
const WINDOWS: &[(&str, &str)] = &[
    CHECKED_STD[0],
    (
        "fs::file::File::lock (line",
        "Wine says by another error than Windows that a lock is not there any more",
    ),
    ("fs::file::File::unlock (line", "as above"),
    ("fs::copy (line", "Wine does not say how much it has copied"),
];
const NONE: &[(&str, &str)] = &[];

const fn emulator(cpu: &'static str, root: &'static str, bits: u8, is_little: bool, machine: u8) -> How {
    Emulator { cpu, root, elf: Elf { bits, is_little, machine } }
}

const fn row(name: &'static str, how: How, linker: Linker, packages: &'static [&'static str]) -> Target {
    Target { name, how, linker, packages, parts: ALL, listings: &[], skipped: NONE }
}

const fn checked(name: &'static str) -> Target {
    Target { parts: LIBRARY, ..row(name, Checked, Linker::Nothing, &[]) }
}

/// All targets, in the order in which they are shown.
#[rustfmt::skip]
pub(crate) const TARGETS: &[Target] = &[
    Target { parts: MACHINE, listings: FIRST_PART, skipped: EMULATED, ..row(
        "aarch64-unknown-linux-gnu", emulator("aarch64", "/usr/aarch64-linux-gnu", 64, true, 183),
        Gcc("aarch64-linux-gnu-gcc"), &["qemu-user", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
    ) },
    Target { parts: MACHINE, skipped: EMULATED, ..row(
        "riscv64gc-unknown-linux-gnu", emulator("riscv64", "/usr/riscv64-linux-gnu", 64, true, 243),
        Gcc("riscv64-linux-gnu-gcc"), &["qemu-user", "gcc-riscv64-linux-gnu", "libc6-dev-riscv64-cross"],
    ) },
    Target { skipped: NARROW, ..row(
        "i686-unknown-linux-gnu", Native, Gcc("i686-linux-gnu-gcc"),
        &["gcc-i686-linux-gnu", "libc6-dev-i386-cross", "libc6-i386", "lib32gcc-s1"],
    ) },
    Target { skipped: MUSL, ..row("x86_64-unknown-linux-musl", Native, Zig("x86_64-linux-musl"), &[]) },
    Target { parts: MACHINE, listings: TWO_HUNDRED_LINES, skipped: WINDOWS, ..row(
        "x86_64-pc-windows-gnu", Wine, Gcc("x86_64-w64-mingw32-gcc"), &["gcc-mingw-w64-x86-64"],
    ) },
    Target { parts: CONTEXT, skipped: EMULATED, ..row(
        "armv7-unknown-linux-gnueabihf", emulator("arm", "/usr/arm-linux-gnueabihf", 32, true, 40),
        Gcc("arm-linux-gnueabihf-gcc"), &["qemu-user", "gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"],
    ) },
    Target { parts: CONTEXT, skipped: EMULATED, ..row(
        "s390x-unknown-linux-gnu", emulator("s390x", "/usr/s390x-linux-gnu", 64, false, 22),
        Gcc("s390x-linux-gnu-gcc"), &["qemu-user", "gcc-s390x-linux-gnu", "libc6-dev-s390x-cross"],
    ) },
    Target { parts: CONTEXT, skipped: EMULATED, ..row(
        "powerpc64le-unknown-linux-gnu", emulator("ppc64le", "/usr/powerpc64le-linux-gnu", 64, true, 21),
        Gcc("powerpc64le-linux-gnu-gcc"), &["qemu-user", "gcc-powerpc64le-linux-gnu", "libc6-dev-ppc64el-cross"],
    ) },
    // Debian 12 has no linker for it.
    Target { parts: CONTEXT, ..checked("loongarch64-unknown-linux-gnu") },
    Target { parts: LIBRARY, ..row("aarch64-apple-darwin", Linked, Linker::Zigbuild, &[]) },
    Target { parts: LIBRARY, ..row("x86_64-apple-darwin", Linked, Linker::Zigbuild, &[]) },
    checked("x86_64-pc-windows-msvc"),
    // Its linker wants two objects of Rust's own that Cargo does not build with `std`.
    Target { parts: CONTEXT, ..checked("i686-pc-windows-gnu") },
    // The library has no port to these systems.
    Target { parts: CONTEXT, ..checked("x86_64-unknown-freebsd") },
    Target { parts: CONTEXT, ..checked("aarch64-linux-android") },
];

impl Target {
    /// The targets of this name, or else those whose names have it in them.
    pub(crate) fn named(name: &str) -> Vec<Self> {
        match TARGETS.iter().find(|target| target.name == name) {
            Some(target) => vec![*target],
            None => TARGETS.iter().filter(|target| target.name.contains(name)).copied().collect(),
        }
    }

    /// The variable that sets `what` for this target in Cargo's configuration.
    pub(crate) fn variable(&self, what: &str) -> String {
        format!("CARGO_TARGET_{}_{what}", self.name.replace('-', "_").to_uppercase())
    }

    /// Whether its tests are run.
    pub(crate) fn is_run(&self) -> bool {
        !matches!(self.how, Linked | Checked)
    }

    /// What the table says about it.
    pub(crate) fn how(&self) -> &'static str {
        match self.how {
            Native => "native",
            Emulator { .. } => "qemu-user",
            Wine => "Wine",
            Linked => "linked",
            Checked => "checked",
        }
    }
}

impl Elf {
    /// The line that makes the kernel start such programs by `interpreter`, for `binfmt_misc`.
    pub(crate) fn registration(self, name: &str, interpreter: &str) -> String {
        let mut magic = vec![0x7f, b'E', b'L', b'F', self.bits / 32, 2 - u8::from(self.is_little), 1];
        magic.resize(16, 0);
        // Of the type, the lowest bit tells 2, a program, from 3, one that can lie anywhere.
        let half = |value: u8| if self.is_little { [value, 0] } else { [0, value] };
        magic.extend(half(2));
        magic.extend(half(self.machine));
        let mut mask = [0xff; 20];
        mask[7] = 0;
        mask[if self.is_little { 16 } else { 17 }] = 0xfe;
        let shown = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
        format!(":{name}:M::{}:{}:{interpreter}:OCF", shown(&magic), shown(&mask))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_parts_of_names() {
        let names = |name| Target::named(name).iter().map(|target| target.name).collect::<Vec<_>>();
        assert_eq!(names("aarch64-apple-darwin"), ["aarch64-apple-darwin"]);
        assert_eq!(names("musl"), ["x86_64-unknown-linux-musl"]);
        assert_eq!(names("darwin").len(), 2);
        assert!(names("vax").is_empty());
    }

    #[test]
    fn each_target_is_there_once_and_has_known_parts() {
        for target in TARGETS {
            assert_eq!(TARGETS.iter().filter(|other| other.name == target.name).count(), 1);
            assert!(target.parts.iter().all(|part| PARTS.contains(part)), "{}", target.name);
            assert!(target.is_run() != matches!(target.linker, Linker::Nothing | Linker::Zigbuild));
        }
    }

    #[test]
    fn the_header_of_a_foreign_program() {
        let arm = Elf { bits: 64, is_little: true, machine: 183 };
        assert_eq!(
            arm.registration("a", "/qemu"),
            ":a:M::\\x7f\\x45\\x4c\\x46\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\
             \\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\
             \\xff\\xfe\\xff\\xff\\xff:/qemu:OCF"
        );
        let s390x = Elf { bits: 64, is_little: false, machine: 22 };
        assert!(s390x.registration("s", "/q").contains("\\x02\\x02\\x01"));
        assert!(s390x.registration("s", "/q").contains("\\x00\\x02\\x00\\x16"));
    }
}
