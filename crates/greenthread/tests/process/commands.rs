//! Processes behave as std's, and only the calling thread waits.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, ErrorKind, Read, Write},
};

#[cfg(unix)]
use greenthread::os::unix::process::{CommandExt, ExitStatusExt};
use greenthread::{
    io,
    process::{Child, Command, Output, Stdio},
    thread,
};
#[cfg(unix)]
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::common::{
    child, is_child,
    machine::{Need, lacks},
    sockets::{Kind, a_moment, everywhere, green, runtime},
    system::open_descriptors,
    text,
};

#[cfg(unix)]
fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[cfg(windows)]
fn shell(script: &str) -> Command {
    let mut command = Command::new("cmd");
    greenthread::os::windows::process::CommandExt::raw_arg(&mut command, format!("/c {script}"));
    command
}

/// A program that copies its input to its output. The one of Windows ends lines in its own way.
fn copier() -> Command {
    if cfg!(windows) { shell("more") } else { Command::new("cat") }
}

/// Output as lines without their ends.
fn lines(output: &[u8]) -> Vec<&str> {
    str::from_utf8(output).unwrap().lines().map(str::trim_end).filter(|line| !line.is_empty()).collect()
}

#[cfg(unix)]
#[test]
fn status_and_signals() {
    everywhere(|_| {
        assert!(Command::new("true").status().unwrap().success());
        assert_eq!(shell("exit 7").status().unwrap().code(), Some(7));
        let status = shell("kill -9 $$").status().unwrap();
        assert_eq!((status.code(), status.signal()), (None, Some(9)));
    });
}

#[cfg(unix)]
#[test]
fn output_of_both_kinds() {
    everywhere(|_| {
        // More output than both pipes hold, by turns.
        let script =
            "i=0; while [ $i -lt 40 ]; do printf %8000d 1; printf %8000d 2 >&2; i=$((i+1)); done; exit 3";
        let Output { status, stdout, stderr } = shell(script).output().unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!((stdout.len(), stderr.len()), (320_000, 320_000));
        assert!(stdout.ends_with(b"1") && stderr.ends_with(b"2"));
    });
}

/// A thread that waits for a process does not keep its siblings from running, even with one worker.
#[test]
fn others_run_while_one_waits() {
    green(1, Kind::Green, |_| {
        let (mut reader, writer) = io::pipe().unwrap();
        // The process ends when a sibling of the waiting thread says so.
        let mut command = copier();
        let mut child = command.stdin(reader.try_clone().unwrap()).stdout(Stdio::null()).spawn().unwrap();
        let waiter = thread::spawn(move || child.wait().unwrap());
        a_moment();
        assert!(!waiter.is_finished());
        // The command holds an end of the pipe as well.
        drop(command);
        drop(writer);
        assert!(waiter.join().unwrap().success());
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    });
}

#[cfg(unix)]
#[test]
fn a_conversation() {
    everywhere(|world| {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for n in 0..20 {
            writeln!(stdin, "line {n}").unwrap();
            assert_eq!(lines.next().unwrap().unwrap(), format!("line {n}"));
        }
        let bytes = vec![b'x'; 1 << 20];
        let writer = world.spawn(move || stdin.write_all(&bytes).unwrap());
        assert_eq!(lines.next().unwrap().unwrap().len(), 1 << 20);
        writer.join();
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn waiting_closes_its_input() {
    everywhere(|_| {
        let mut child = copier().stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        assert!(child.try_wait().unwrap().is_none());
        assert!(child.wait().unwrap().success());
        assert!(child.stdin.is_none());
        assert!(child.try_wait().unwrap().is_some());
        assert!(child.wait().unwrap().success());
    });
}

/// A process that sleeps until it is killed, and keeps none of this process's streams if a test
/// forgets it.
#[cfg(unix)]
fn sleeper() -> Child {
    Command::new("sleep").arg("1000").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// As above: the program of Windows waits for a number of answers, a second between two.
#[cfg(windows)]
fn sleeper() -> Child {
    let mut command = Command::new("ping");
    command.args(["-n", "1000", "127.0.0.1"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn killed_while_it_is_waited_for() {
    everywhere(|world| {
        let mut child = sleeper();
        let number = child.id();
        let waiter = world.spawn(move || child.wait().unwrap());
        a_moment();
        kill(number);
        was_killed(waiter.join());

        let mut child = sleeper();
        child.kill().unwrap();
        was_killed(child.wait().unwrap());
        child.kill().unwrap();
    });
}

#[cfg(unix)]
fn kill(number: u32) {
    let number = rustix::process::Pid::from_raw(number as i32).unwrap();
    rustix::process::kill_process(number, rustix::process::Signal::KILL).unwrap();
}

#[cfg(windows)]
fn kill(number: u32) {
    use windows_sys::Win32::{
        Foundation::CloseHandle,
        System::Threading::{OpenProcess, PROCESS_TERMINATE, TerminateProcess},
    };
    // SAFETY: the calls touch no memory, and the handle is closed once.
    unsafe {
        let process = OpenProcess(PROCESS_TERMINATE, 0, number);
        assert_ne!(TerminateProcess(process, 1), 0);
        CloseHandle(process);
    }
}

#[track_caller]
fn was_killed(status: greenthread::process::ExitStatus) {
    #[cfg(unix)]
    assert_eq!(status.signal(), Some(9));
    #[cfg(windows)]
    assert_eq!(status.code(), Some(1));
}

#[test]
fn one_that_can_t_be_started() {
    if lacks(&[Need::StartErrors]) {
        return;
    }
    everywhere(|_| {
        let error = Command::new("greenthread-no-such-program").spawn().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = Command::new("/").output().unwrap_err();
        assert!(cfg!(windows) || error.kind() == ErrorKind::PermissionDenied);
        let error = shell("exit 0").current_dir("/greenthread-no-such-directory").status().unwrap_err();
        assert!(cfg!(windows) || error.kind() == ErrorKind::NotFound);
        assert!(Command::new("a\0b").status().is_err());
    });
}

#[cfg(unix)]
#[test]
fn arguments_environment_and_directory() {
    everywhere(|_| {
        let mut command = shell("echo $0 $# $A-$B-$HOME; pwd");
        command.args(["name", "x y", "z"]).envs([("A", "1"), ("B", "2")]).env_remove("B").current_dir("/");
        command.env_remove("HOME");
        assert_eq!(command.get_program(), "sh");
        assert_eq!(command.get_args().count(), 5);
        assert_eq!(command.get_envs().count(), 3);
        assert!(command.get_envs().any(|pair| pair == (OsStr::new("B"), None)));
        assert_eq!(command.get_current_dir(), Some("/".as_ref()));
        assert_eq!(command.output().unwrap().stdout, b"name 2 1--\n/\n");
        let mut theirs = std::process::Command::new("sh");
        theirs.arg("a b");
        assert_eq!(format!("{:?}", Command::new("sh").arg("a b")), format!("{theirs:?}"));
        let output = Command::new("/usr/bin/env").env("X", "1").env_clear().env("A", "1").output().unwrap();
        assert_eq!(output.stdout, b"A=1\n");
    });
}

/// A command is used again in another way. Settings that were not made keep their defaults.
#[test]
fn a_command_is_used_again() {
    everywhere(|_| {
        let mut command = copier();
        // There is no input, though this process may have some.
        assert!(lines(&command.output().unwrap().stdout).is_empty());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        assert!(child.stdin.is_some() && child.stdout.is_none() && child.stderr.is_none());
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());

        let mut quiet = shell(if cfg!(windows) { "echo out& echo err>&2" } else { "echo out; echo err >&2" });
        quiet.stdout(Stdio::null());
        let output = quiet.output().unwrap();
        assert_eq!((output.stdout.len(), lines(&output.stderr)), (0, vec!["err"]));
    });
}

/// The output of one process is the input of the next.
#[cfg(unix)]
#[test]
fn a_pipeline() {
    everywhere(|_| {
        let mut first = Command::new("printf").arg("c\\nb\\na\\n").stdout(Stdio::piped()).spawn().unwrap();
        let between = first.stdout.take().unwrap();
        let sorted = Command::new("sort").stdin(between).output().unwrap();
        assert_eq!(sorted.stdout, b"a\nb\nc\n");
        assert!(first.wait().unwrap().success());

        // One pipe for both kinds of output, and one for the input.
        let (mut reader, writer) = io::pipe().unwrap();
        let (input, mut feed) = io::pipe().unwrap();
        feed.write_all(b"in").unwrap();
        drop(feed);
        let mut child = shell("cat; echo out; echo err >&2");
        child.stdin(input).stdout(writer.try_clone().unwrap()).stderr(writer);
        let mut running = child.spawn().unwrap();
        // The command holds ends of the pipes as well.
        drop(child);
        let mut all = String::new();
        reader.read_to_string(&mut all).unwrap();
        assert_eq!(all, "inout\nerr\n");
        assert!(running.wait().unwrap().success());
    });
}

#[cfg(unix)]
#[test]
fn what_unix_adds() {
    everywhere(|_| {
        let mut command = Command::new("sh");
        command
            .arg0("renamed")
            .args(["-c", "echo $0; test $(ps -o pgid= -p $$ 2>/dev/null || echo $$) = $$"]);
        assert_eq!(command.process_group(0).output().unwrap().stdout, b"renamed\n");
        let mut command = Command::new("true");
        // SAFETY: the closure only makes an error.
        unsafe { command.pre_exec(|| Err(std::io::Error::from_raw_os_error(libc::EXDEV))) };
        assert_eq!(command.spawn().unwrap_err().raw_os_error(), Some(libc::EXDEV));
        let error = Command::new("greenthread-no-such-program").exec();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn from_and_into_std_s() {
    everywhere(|_| {
        let copier = copier();
        let mut theirs = std::process::Command::new(copier.get_program());
        if cfg!(windows) {
            theirs.args(["/c", "more"]);
        }
        theirs.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut ours = Child::from(theirs.spawn().unwrap());
        ours.stdin.take().unwrap().write_all(b"meow").unwrap();
        let theirs = std::process::Child::from(ours);
        assert_eq!(lines(&theirs.wait_with_output().unwrap().stdout), ["meow"]);
    });
}

/// Many processes at a time. No descriptor and no zombie is left.
#[test]
fn many_at_once_leave_nothing_behind() {
    if is_child() {
        for workers in [1, 2, 8] {
            runtime(workers).run(|| {
                let before = open_descriptors();
                for _ in 0..3 {
                    let children: Vec<_> = (0..10)
                        .map(|n| {
                            let between = if cfg!(windows) { "&" } else { ";" };
                            let script = format!("echo {n}{between} echo e>&2{between} exit {n}");
                            thread::spawn(move || shell(&script).output())
                        })
                        .collect();
                    for (n, child) in children.into_iter().enumerate() {
                        let output = child.join().unwrap().unwrap();
                        assert_eq!(output.status.code(), Some(n as i32));
                        assert_eq!(lines(&output.stdout), [n.to_string()]);
                        assert_eq!(lines(&output.stderr), ["e"]);
                    }
                }
                // On Windows the pool has handles of its OS threads.
                assert!(open_descriptors() == before || cfg!(windows));
                // No child is left to wait for.
                #[cfg(unix)]
                assert_eq!(
                    rustix::process::wait(rustix::process::WaitOptions::NOHANG).unwrap_err(),
                    rustix::io::Errno::CHILD
                );
            });
        }
        return;
    }
    // In a process of its own, since other tests open and close descriptors as well.
    let output = child(|_| {});
    assert!(output.status.success(), "{}", text(&output));
}

/// Without descriptors a start fails as in std. With few of them the wait uses the pool.
#[cfg(unix)]
#[test]
fn no_descriptors_left() {
    if is_child() {
        return runtime(1).run(|| {
            let mut child = Command::new("sleep").arg("0.05").spawn().unwrap();
            let mut all = Vec::new();
            while let Ok(file) = std::fs::File::open("/dev/null") {
                all.push(file);
            }
            let error = Command::new("true").stdout(Stdio::piped()).spawn().unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
            assert_eq!(io::pipe().unwrap_err().raw_os_error(), Some(libc::EMFILE));
            assert!(child.wait().unwrap().success());
        });
    }
    let limit = Rlimit { current: Some(64), maximum: Some(64) };
    let output = child(|command| {
        // SAFETY: the closure makes one system call, and nothing else.
        unsafe {
            std::os::unix::process::CommandExt::pre_exec(command, move || {
                Ok(setrlimit(Resource::Nofile, limit)?)
            })
        };
    });
    assert!(output.status.success(), "{}", text(&output));
}
