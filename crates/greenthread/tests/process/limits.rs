//! The process's limit of descriptors. Each case runs in a process of its own.

use std::{os::unix::process::CommandExt, process::Command};

use greenthread::Runtime;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::common::{child, is_child, text};

/// Runs `test` in a process with these soft and hard limits of descriptors.
fn with_descriptors(soft: u64, hard: u64, test: impl FnOnce()) {
    if is_child() {
        return test();
    }
    let limit = Rlimit { current: Some(soft), maximum: Some(hard) };
    let output = child(|command| {
        // SAFETY: the closure makes one system call, and nothing else.
        unsafe { command.pre_exec(move || Ok(setrlimit(Resource::Nofile, limit)?)) };
    });
    assert!(output.status.success(), "{}", text(&output));
}

fn soft_limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap()
}

/// The soft limit that a child prints.
fn limit_of(output: std::io::Result<std::process::Output>) -> u64 {
    String::from_utf8(output.unwrap().stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn more_workers_than_the_soft_limit_allows() {
    with_descriptors(64, 4096, || {
        let runtime = Runtime::builder().workers(60).build().unwrap();
        assert_eq!(soft_limit(), 64 + 3 * 60, "what the workers take, and no more");
        runtime.run(|| {
            let script = ["-c", "ulimit -Sn"];
            let mut command = greenthread::process::Command::new("sh");
            assert_eq!(limit_of(command.args(script).output()), 64);
            assert_eq!(limit_of(command.output()), 64);
            // A process that std starts inherits the raised limit, as is documented.
            assert_eq!(limit_of(Command::new("sh").args(script).output()), 64 + 3 * 60);
            // A limit that the program sets is kept.
            setrlimit(Resource::Nofile, Rlimit { current: Some(200), maximum: Some(4096) }).unwrap();
            assert_eq!(limit_of(command.output()), 200);
        });
    });
}

#[test]
fn few_workers_leave_the_limit_alone() {
    with_descriptors(1024, 4096, || {
        for _ in 0..100 {
            drop(Runtime::builder().workers(8).build().unwrap());
        }
        assert_eq!(soft_limit(), 1024);
    });
}

#[test]
fn more_workers_than_the_hard_limit_allows_is_an_error_that_says_what_to_do() {
    with_descriptors(64, 100, || {
        for _ in 0..10 {
            let error = Runtime::builder().workers(60).build().unwrap_err().to_string();
            assert!(error.contains("ulimit -n") && error.contains("which is 100"), "{error}");
        }
        // Nothing was left behind.
        assert_eq!(Runtime::builder().workers(8).build().unwrap().run(|| 6 * 7), 42);
    });
}

#[test]
fn by_default_there_are_fewer_workers_where_there_are_few_descriptors() {
    with_descriptors(10, 10, || {
        assert_eq!(greenthread::run(|| 6 * 7), 42);
        // This holds for any number of processors.
        let workers = std::fs::read_dir("/proc/self/task").unwrap().filter(|thread| {
            let name = std::fs::read_to_string(thread.as_ref().unwrap().path().join("comm")).unwrap();
            name.starts_with("greenthread-")
        });
        assert_eq!(workers.count(), 1);
    });
}
