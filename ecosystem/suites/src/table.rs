//! Which crates, in which versions.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use ecosystem_common::{servers::Kind, source::copy};

/// The tests of one crate.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) origin: Origin,
    /// Gives the copy of the source what the crate is published without, and its tests need.
    pub(crate) completed: Option<fn(&Path) -> io::Result<()>>,
    /// What of the crate's lock file does not build any more, and is updated.
    pub(crate) updated: &'static [&'static str],
    /// Arguments for `cargo test`.
    pub(crate) for_cargo: &'static [&'static str],
    pub(crate) server: Option<Server>,
    /// What is left out on green threads, and why.
    pub(crate) skipped: &'static [(&'static str, &'static str)],
}

/// The server that tests need.
#[derive(Clone, Copy)]
pub(crate) enum Server {
    /// They look for it on this port.
    On(Kind, u16),
    /// They take its address from this environment variable.
    In(Kind, &'static str),
}

/// Where a source comes from.
#[derive(Clone, Copy)]
pub(crate) enum Origin {
    Registry,
    /// The folder that is given. The crate is published without its tests.
    Checkout,
    /// The component `rust-src`. The function makes a package from it.
    RustSrc(fn(&Path, &Path) -> io::Result<()>),
}

const fn of(name: &'static str, version: &'static str) -> Suite {
    Suite {
        name,
        version,
        origin: Origin::Registry,
        completed: None,
        updated: &[],
        for_cargo: &["--lib", "--tests"],
        server: None,
        skipped: &[],
    }
}

/// A thread of these waits for a sibling without any call. Only where threads are preempted does
/// the sibling ever run.
const SPINS: &str = "it spins without a call";

pub(crate) const SUITES: &[Suite] = &[
    Suite {
        origin: Origin::RustSrc(std_tests),
        skipped: &[
            ("port_gone_concurrent", SPINS),
            ("test_recv_try_iter", SPINS),
            ("sync_once_cell_does_not_leak_partially_constructed_boxes", SPINS),
            ("test_thread_os_id_not_equal", "the system's number is the worker's"),
        ],
        ..of("std", "1.95.0")
    },
    of("attohttpc", "0.31.0"),
    Suite {
        completed: Some(diesel_test_helper),
        for_cargo: &["--lib", "--tests", "--no-default-features", "--features", "postgres r2d2"],
        server: Some(Server::In(Kind::Postgres, "DATABASE_URL")),
        ..of("diesel", "2.3.14")
    },
    Suite {
        for_cargo: &["--lib", "--tests", "--no-default-features", "--features", "vendored-libgit2"],
        ..of("git2", "0.20.4")
    },
    of("httparse", "1.10.1"),
    Suite { server: Some(Server::On(Kind::Smtp, 2525)), ..of("lettre", "0.11.23") },
    of("minreq", "3.0.0"),
    Suite {
        completed: Some(public_key),
        for_cargo: &["--lib", "--tests", "--no-default-features", "--features", "default-rust"],
        server: Some(Server::In(Kind::Mysql, "DATABASE_URL")),
        ..of("mysql", "28.0.4")
    },
    of("native-tls", "0.2.18"),
    of("once_cell", "1.21.4"),
    Suite { skipped: &[("test_reentrant_mutex_bump", SPINS)], ..of("parking_lot", "0.12.5") },
    Suite { server: Some(Server::On(Kind::Postgres, 5433)), ..of("postgres", "0.19.14") },
    Suite { completed: Some(redis_test), ..of("redis", "1.8.1") },
    // Those of its blocking face alone.
    Suite {
        origin: Origin::Checkout,
        for_cargo: &[
            "--test=blocking",
            "--test=timeouts",
            "--no-default-features",
            "--features=blocking,charset,form,json,stream",
        ],
        ..of("reqwest", "0.13.4")
    },
    Suite { for_cargo: &["--lib", "--tests", "--no-default-features"], ..of("rumqttc", "0.25.1") },
    // The tests of later ones need a later compiler.
    Suite { for_cargo: &["--lib", "--tests", "--features", "bundled"], ..of("rusqlite", "0.37.0") },
    of("scoped-tls", "1.0.1"),
    of("socket2", "0.6.5"),
    Suite {
        skipped: &[(
            "test_pathological_cleaner",
            "it loops over calls that do not park, to list and remove files",
        )],
        ..of("tempfile", "3.27.0")
    },
    of("thread_local", "1.1.10"),
    Suite { updated: &["rustc-serialize"], ..of("tiny_http", "0.12.0") },
    of("ureq", "3.5.2"),
];

fn append(path: &Path, text: &str) -> io::Result<()> {
    fs::OpenOptions::new().append(true).open(path)?.write_all(text.as_bytes())
}

/// A file for a test that does nothing where the server is MariaDB.
fn public_key(folder: &Path) -> io::Result<()> {
    let fixtures = folder.join("tests/fixtures");
    fs::create_dir_all(&fixtures)?;
    fs::write(fixtures.join("server-public-key.pem"), "")
}

/// Redis's tests start servers by a crate that depends on redis itself.
fn redis_test(folder: &Path) -> io::Result<()> {
    let text =
        "\n[dev-dependencies.redis-test]\nversion = \"1\"\n[patch.crates-io]\nredis = { path = \".\" }\n";
    append(&folder.join("Cargo.toml"), text)
}

/// Diesel's attribute for tests is std's, but on WebAssembly.
fn diesel_test_helper(folder: &Path) -> io::Result<()> {
    append(&folder.join("Cargo.toml"), "\n[dev-dependencies.diesel_test_helper]\npath = \"helper\"\n")?;
    let helper = folder.join("helper");
    fs::create_dir_all(helper.join("src"))?;
    fs::write(helper.join("src/lib.rs"), "pub use std::prelude::v1::test;\n")?;
    fs::write(helper.join("Cargo.toml"), "[package]\nname = \"diesel_test_helper\"\nedition = \"2024\"\n")
}

/// std's own tests of threads, thread-locals, locks and channels. Those that are inside std are
/// made to name it as others do.
fn std_tests(std: &Path, folder: &Path) -> io::Result<()> {
    let tests = folder.join("tests");
    copy(&std.join("tests/sync"), &tests.join("sync"))?;
    copy(&std.join("tests/thread_local"), &tests.join("thread_local"))?;
    copy(&std.join("tests/common"), &tests.join("common"))?;
    fs::copy(std.join("tests/thread.rs"), tests.join("thread.rs"))?;
    let sync = fs::read_to_string(tests.join("sync/lib.rs"))?;
    fs::write(tests.join("sync/lib.rs"), format!("#![feature(sync_poison_mod)]\n{sync}"))?;
    let inside = fs::read_to_string(std.join("src/thread/tests.rs"))?
        .replace("crate::", "std::")
        .replace("super::sleep", "std::thread::sleep")
        .replace("thread::current_os_id()", "unsafe { libc::gettid() }");
    fs::write(tests.join("inside.rs"), inside)?;
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    fs::write(folder.join("Cargo.toml"), MANIFEST)
}

const MANIFEST: &str = r#"[package]
name = "std-tests"
edition = "2024"
autotests = false
[workspace]
[dev-dependencies]
libc = "0.2"
rand = { version = "0.9", default-features = false, features = ["alloc"] }
rand_xorshift = "0.4"
[[test]]
name = "sync"
path = "tests/sync/lib.rs"
[[test]]
name = "thread_local"
path = "tests/thread_local/lib.rs"
[[test]]
name = "thread"
path = "tests/thread.rs"
[[test]]
name = "inside"
path = "tests/inside.rs"
"#;
