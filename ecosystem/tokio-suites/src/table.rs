//! Which crates, in which versions.

use std::{fs, io, path::Path};

use ecosystem_common::servers::{Kind, Servers, psql};

/// A suite of tests.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    /// The crate, if the suite has another name.
    pub(crate) package: Option<&'static str>,
    pub(crate) version: &'static str,
    /// Whether the published crate lacks its tests, so that the sources must be given.
    pub(crate) is_checkout: bool,
    /// The folder, in the sources, of the crate that has the tests.
    pub(crate) member: &'static str,
    /// Crates among its dependencies that ask for a runtime too, and their versions.
    pub(crate) changed: &'static [(&'static str, &'static str)],
    /// A package that its tests need and that is not published: its name, manifest and source.
    pub(crate) helper: Option<(&'static str, &'static str, &'static str)>,
    /// What else is added to its manifest.
    pub(crate) manifest: &'static str,
    /// Which of its tests, and other arguments for `cargo test`.
    pub(crate) tests: &'static [&'static str],
    pub(crate) arguments: &'static [&'static str],
    /// Texts that are replaced in all its files.
    pub(crate) edits: &'static [(&'static str, &'static str)],
    /// Starts the servers that the tests need. Returns the environment that tells of them. The path
    /// is the suite's sources.
    pub(crate) serve: fn(&mut Servers, &Path) -> io::Result<Environment>,
    /// A file that tests change, and where they find a copy of it. Each run has a new one.
    pub(crate) fresh: Option<(&'static str, &'static str)>,
    /// Tests that end in another way on green threads, and why.
    pub(crate) differs: &'static [(&'static str, &'static str)],
}

/// The names and values of variables.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// What is replaced in all suites.
pub(crate) const EDITS: &[(&str, &str)] = &[
    ("#[tokio::test]", "#[tokio::test(crate = \"stand_in\")]"),
    ("#[tokio::test(", "#[tokio::test(crate = \"stand_in\", "),
    ("#[tokio::test(crate = \"stand_in\", crate = \"stand_in\")]", "#[tokio::test(crate = \"stand_in\")]"),
    ("tokio_test::block_on(", "stand_in::block_on("),
];

/// What is replaced in tests that have a file of their own.
pub(crate) const EDITS_OF_TESTS: &[(&str, &str)] = &[("tokio::runtime::", "stand_in::runtime::")];

const NONE: Suite = Suite {
    name: "",
    package: None,
    version: "",
    is_checkout: false,
    member: "",
    changed: &[],
    helper: None,
    manifest: "",
    tests: &["--tests"],
    arguments: &[],
    edits: &[],
    serve: |_, _| Ok(Vec::new()),
    fresh: None,
    differs: &[],
};

const WRAPPED: &str =
    "TokioContext::new(async move { sleep(Duration::from_millis(2)).await }, rt2.handle().clone())";

/// Those of its tests that convert values have macros in a package that is not published. They are
/// left out: nothing in them waits but for one answer.
const SQLX: Suite = Suite {
    package: Some("sqlx"),
    version: "0.9.0",
    changed: &[("sqlx-core", "0.9.0")],
    helper: Some((
        "sqlx-test",
        include_str!("../sqlx-test/manifest.toml"),
        include_str!("../sqlx-test/lib.rs"),
    )),
    edits: &[("            tokio::runtime::Builder::", "            stand_in::runtime::Builder::")],
    ..NONE
};

pub(crate) const SUITES: &[Suite] = &[
    Suite { name: "tower", version: "0.5.3", arguments: &["--features=full"], ..NONE },
    Suite {
        name: "tokio-stream",
        version: "0.1.19",
        arguments: &["--features=full"],
        differs: &[("test_iter_coop_budget", "it counts tokio's budget, of which the worker has used some")],
        ..NONE
    },
    Suite {
        name: "tokio-util",
        version: "0.7.20",
        arguments: &["--features=full"],
        edits: &[
            // `wrap` is there for tokio's own runtime only.
            ("rt2.wrap(async move { sleep(Duration::from_millis(2)).await })", WRAPPED),
            ("use tokio_util::context::RuntimeExt;", "use tokio_util::context::TokioContext;"),
        ],
        differs: &[(
            "panic_in_multi_thread_runtime",
            "it expects `spawn_local` to be refused; on a worker it works",
        )],
        ..NONE
    },
    Suite {
        name: "hyper-util",
        version: "0.1.21",
        arguments: &["--features=full"],
        edits: &[("let rt = tokio::runtime::", "let rt = stand_in::runtime::")],
        ..NONE
    },
    Suite { name: "tokio-tungstenite", version: "0.29.0", is_checkout: true, ..NONE },
    Suite { name: "hyper", version: "1.11.0", is_checkout: true, arguments: &["--features=full"], ..NONE },
    Suite {
        name: "h2",
        version: "0.4.18",
        is_checkout: true,
        member: "tests/h2-tests",
        edits: &[
            // Workers have no name that std knows.
            (".expect(\"test threads must be named\")", ".unwrap_or(\"a worker\")"),
            // The harness does not capture what green threads print, which would tear its lines.
            ("tracing_subscriber::fmt::writer::TestWriter::default()", "std::io::sink"),
        ],
        ..NONE
    },
    Suite {
        name: "redis",
        version: "1.8.1",
        arguments: &["--features=tokio-comp,connection-manager", "--", "--test-threads=1"],
        // Those that wait.
        tests: &["--lib", "--test=parser", "--test=test_async"],
        helper: Some((
            "test-macros",
            include_str!("../redis-macros/manifest.toml"),
            include_str!("../redis-macros/lib.rs"),
        )),
        manifest: "[dev-dependencies.redis-test]\nversion = \"1\"\n[patch.crates-io.redis]\npath = \".\"\n",
        ..NONE
    },
    Suite {
        name: "tokio-postgres",
        version: "0.7.18",
        arguments: &["--all-features"],
        serve: postgres_5433,
        ..NONE
    },
    // What is published of the next two has the tests inside the crate only.
    Suite {
        name: "reqwest",
        version: "0.13.5",
        arguments: &[
            "--no-default-features",
            "--features=blocking,charset,cookies,form,gzip,http2,json,multipart,query,stream",
        ],
        edits: &[("use tokio::{self, runtime};", "use stand_in::runtime;")],
        ..NONE
    },
    Suite { name: "tonic", version: "0.14.9", ..NONE },
    Suite {
        name: "sqlx-sqlite",
        arguments: &[
            "--no-default-features",
            "--features=any,sqlite,macros,migrate,_unstable-all-types,runtime-tokio",
        ],
        tests: &[
            "--test=any",
            "--test=any-pool",
            "--test=sqlite",
            "--test=sqlite-any",
            "--test=sqlite-describe",
            "--test=sqlite-error",
            "--test=sqlite-macros",
            "--test=sqlite-migrate",
            "--test=sqlite-rustsec",
            "--test=sqlite-test-attr",
        ],
        serve: |_, sources| {
            let file = sources.join("tests/sqlite/fresh.db");
            Ok(vec![("DATABASE_URL", format!("sqlite://{}", file.display()))])
        },
        fresh: Some(("tests/sqlite/sqlite.db", "tests/sqlite/fresh.db")),
        ..SQLX
    },
    Suite {
        name: "sqlx-postgres",
        arguments: &[
            "--no-default-features",
            "--features=any,postgres,macros,migrate,_unstable-all-types,runtime-tokio",
        ],
        tests: &[
            "--test=any",
            "--test=any-pool",
            "--test=postgres",
            "--test=postgres-describe",
            "--test=postgres-error",
            "--test=postgres-macros",
            "--test=postgres-migrate",
            "--test=postgres-query-builder",
            "--test=postgres-rustsec",
            "--test=postgres-test-attr",
        ],
        serve: |servers, sources| {
            let address = servers.address(Kind::Postgres)?;
            psql(&address, &fs::read_to_string(sources.join("tests/postgres/setup.sql"))?)?;
            Ok(vec![("DATABASE_URL", address)])
        },
        ..SQLX
    },
    Suite {
        name: "axum",
        version: "0.8.9",
        arguments: &["--all-features"],
        edits: &[
            ("#[cfg(test)]\nuse axum_macros::__private_axum_test as test;", ""),
            ("#[crate::test]", "#[tokio::test(crate = \"stand_in\")]"),
            ("let rt = tokio::runtime::", "let rt = stand_in::runtime::"),
        ],
        ..NONE
    },
];

/// Postgres as the tests of `tokio-postgres` expect it.
fn postgres_5433(servers: &mut Servers, _: &Path) -> io::Result<Environment> {
    let address = servers.start_on(Kind::Postgres, 5433)?;
    let statements = "\
        CREATE ROLE pass_user PASSWORD 'password' LOGIN;
        SET password_encryption TO 'md5';
        CREATE ROLE md5_user PASSWORD 'password' LOGIN;
        SET password_encryption TO 'scram-sha-256';
        CREATE ROLE scram_user PASSWORD 'password' LOGIN;
        CREATE EXTENSION hstore;
        CREATE EXTENSION citext;
        CREATE EXTENSION ltree;";
    psql(&address, statements)?;
    Ok(Vec::new())
}
