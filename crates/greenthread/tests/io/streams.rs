//! The standard streams. Each test runs this program again, in a process of its own.

use std::{
    fs::File,
    io::{Read, Write},
    process::{Child, Output, Stdio},
};

#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use greenthread::{
    io::{self, BufRead},
    thread,
};

use crate::common::{
    again, is_child,
    machine::{Need, lacks},
    scratch,
    sockets::in_time,
    test_name,
};

/// In the parent: runs the test that calls this again, with pipes for its streams.
fn piped() -> Child {
    again()
        .args(["--nocapture", "-q"])
        .env("GREENTHREAD_WORKERS", "1")
        // On a slow machine the watchdog would have its say between two pieces of a line.
        .env("GREENTHREAD_WATCHDOG", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The output of a child that has ended. A child that hangs fails its test.
fn end(child: Child) -> Output {
    in_time(|| child.wait_with_output().unwrap())
}

/// The output of a child between the marks. The harness writes outside of them.
fn told(child: Child) -> String {
    let output = end(child);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.split("<<<").nth(1).unwrap().split(">>>").next().unwrap().to_owned()
}

fn tell(text: &str) {
    let mut stdout = std::io::stdout();
    write!(stdout, "<<<{text}>>>").unwrap();
    stdout.flush().unwrap();
}

/// One worker, and a thread that waits for input. Its sibling runs.
#[test]
fn waiting_for_input_lets_others_run() {
    if is_child() {
        return greenthread::run(|| {
            let line = thread::spawn(|| {
                let mut line = String::new();
                assert_eq!(io::stdin().read_line(&mut line).unwrap(), 6);
                line
            });
            // The sibling says that it runs. Only then input comes.
            for _ in 0..100 {
                thread::yield_now();
            }
            tell(&format!("{:?}", line.is_finished()));
            assert_eq!(line.join().unwrap(), "first\n");
            let rest: Vec<_> = io::stdin().lines().map(Result::unwrap).collect();
            assert_eq!(rest, ["second", "third"]);
            assert_eq!(io::stdin().read(&mut [0]).unwrap(), 0);
        });
    }
    let mut child = piped();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let seen = in_time(move || {
        let mut seen = Vec::new();
        while !seen.ends_with(b">>>") {
            let mut byte = [0];
            assert_eq!(stdout.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&seen));
            seen.push(byte[0]);
        }
        // The rest of the output is read too, so that the child can end.
        (seen, stdout)
    });
    assert!(seen.0.ends_with(b"<<<false>>>"));
    stdin.write_all(b"first\nsecond\nthird").unwrap();
    drop(stdin);
    assert!(end(child).status.success());
}

/// To wait for any kind of input takes no OS thread, and the input's mode counts.
#[cfg(unix)]
#[test]
fn waiting_for_input_takes_no_os_thread() {
    if is_child() {
        let runtime = greenthread::Runtime::builder().workers(1).build().unwrap();
        let input = io::stdin().as_fd().try_clone_to_owned().unwrap();
        let (mut one, mut other) = (0, 0);
        let null = std::ptr::null_mut();
        // SAFETY: the call writes two numbers to the places that it is given, and nothing else owns
        // these descriptors.
        let (terminal, mut keyboard) = unsafe {
            let opened = libc::openpty(&raw mut one, &raw mut other, null, null.cast(), null.cast());
            assert_eq!(opened, 0);
            (OwnedFd::from_raw_fd(other), File::from_raw_fd(one))
        };
        let (reader, mut writer) = std::io::pipe().unwrap();
        for (input, output) in [
            (input, None),
            (terminal, Some(&mut keyboard as &mut dyn Write)),
            (reader.into(), Some(&mut writer)),
        ] {
            // SAFETY: nothing relies on what the standard input is.
            assert_eq!(unsafe { libc::dup2(input.as_raw_fd(), 0) }, 0);
            for nonblocking in [1, 0] {
                // SAFETY: the call reads one number.
                assert_eq!(unsafe { libc::ioctl(0, libc::FIONBIO, &raw const nonblocking) }, 0);
                if nonblocking == 1 {
                    let read = runtime.run(|| io::stdin().read(&mut [0; 8]));
                    assert_eq!(read.unwrap_err().kind(), io::ErrorKind::WouldBlock);
                }
            }
            let line = runtime.spawn(|| {
                let mut line = String::new();
                io::stdin().read_line(&mut line).unwrap();
                line
            });
            runtime.run(|| (0..50).for_each(|_| thread::yield_now()));
            assert!(!line.is_finished());
            let metrics = runtime.metrics();
            // A terminal in non-blocking mode was read by an OS thread.
            assert_eq!(metrics.blocking().threads(), metrics.blocking().idle_threads());
            match output {
                Some(output) => output.write_all(b"a line\n").unwrap(),
                None => tell("ready"),
            }
            assert_eq!(line.join().unwrap(), "a line\n");
        }
        return;
    }
    let mut child = piped();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    in_time(move || {
        let mut seen = Vec::new();
        while !seen.ends_with(b"<<<ready>>>") {
            let mut byte = [0];
            assert_eq!(stdout.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&seen));
            seen.push(byte[0]);
        }
        stdin.write_all(b"a line\n").unwrap();
        let status = child.wait().unwrap();
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert!(status.success(), "{errors}");
    });
}

/// A thread that holds the lock keeps others out, also while it waits for input.
#[test]
fn input_is_one_thread_s_while_it_is_locked() {
    if is_child() {
        return greenthread::run(|| {
            let mut lock = io::stdin().lock();
            let other = thread::spawn(|| {
                let mut line = String::new();
                io::stdin().read_line(&mut line).unwrap();
                line
            });
            let (mut first, mut second) = (String::new(), String::new());
            lock.read_line(&mut first).unwrap();
            thread::yield_now();
            lock.read_line(&mut second).unwrap();
            drop(lock);
            tell(&format!("{first}{second}{}", other.join().unwrap()));
        });
    }
    let mut child = piped();
    child.stdin.take().unwrap().write_all(b"1\n2\n3\n").unwrap();
    assert_eq!(told(child), "1\n2\n3\n");
}

/// A closed descriptor: reads find the end of input.
#[cfg(unix)]
#[test]
fn closed_input_is_at_its_end() {
    if is_child() {
        return greenthread::run(|| {
            // SAFETY: nothing else uses the descriptor here.
            unsafe { libc::close(0) };
            assert_eq!(io::stdin().read(&mut [0; 8]).unwrap(), 0);
            tell("the end");
        });
    }
    assert_eq!(told(piped()), "the end");
}

/// A pipe that is not read, and one worker. The thread that prints waits, and its siblings run.
#[test]
fn printing_to_a_full_pipe_lets_others_run() {
    // Three times what a pipe takes, in few lines: each costs several calls, which are slow where
    // an OS thread of the pool has to make them.
    const LINES: usize = 300;
    if is_child() {
        return greenthread::run(|| {
            let printers = [
                thread::spawn(|| (0..LINES).for_each(|n| greenthread::println!("<{n:0600}>"))),
                thread::spawn(|| (0..LINES).for_each(|n| greenthread::eprintln!("<{n:0600}>"))),
            ];
            // This runs while the printing threads wait, and says so on another stream.
            let mut word = String::new();
            io::stdin().read_line(&mut word).unwrap();
            assert!(printers.iter().all(|printer| !printer.is_finished()));
            std::fs::write(word.trim_end(), "still running").unwrap();
            printers.into_iter().for_each(|printer| printer.join().unwrap());
        });
    }
    let file = scratch("printing");
    let mut child = piped();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(50));
    writeln!(stdin, "{}", file.display()).unwrap();
    let appears = file.clone();
    let child = in_time(move || {
        while !appears.exists() {
            assert!(child.try_wait().unwrap().is_none(), "the child has ended");
            std::thread::yield_now();
        }
        child
    });
    std::fs::remove_file(&file).unwrap();
    let output = end(child);
    assert!(output.status.success());
    for all in [output.stdout, output.stderr] {
        let text = String::from_utf8(all).unwrap();
        let lines = text.lines().filter(|line| line.starts_with("<00"));
        assert!(lines.eq((0..LINES).map(|n| format!("<{n:0600}>"))));
    }
}

/// Siblings keep out of each other's lines, and one thread may take the lock twice.
#[test]
fn a_lock_keeps_siblings_out() {
    if is_child() {
        return greenthread::run(|| {
            let mut outer = io::stdout().lock();
            write!(outer, "<<<").unwrap();
            let other = thread::spawn(|| write!(io::stdout(), "{}{}", 3, 4).unwrap());
            thread::yield_now();
            write!(io::stdout(), "1").unwrap();
            thread::yield_now();
            write!(outer, "2").unwrap();
            drop(outer);
            other.join().unwrap();
            io::stdout().write_all(b">>>").unwrap();
        });
    }
    assert_eq!(told(piped()), "1234");
}

/// A line is written when it is complete. The rest is written when the process exits, in any way.
#[test]
fn lines_and_the_rest_at_the_end() {
    if is_child() {
        return greenthread::run(|| {
            greenthread::print!("<<<one");
            greenthread::print!(" and two\nthree");
            // std's output comes between the flushed and the unflushed output of this crate.
            std::io::stdout().write_all(b"\nfrom std\n").unwrap();
            greenthread::print!(" and four>>>");
            if io::stdin().read(&mut [0]).unwrap() == 1 {
                std::process::exit(0);
            }
        });
    }
    let words = if lacks(&[Need::CallsAtExit]) { &[""][..] } else { &["", "exit"] };
    for word in words {
        let mut child = piped();
        child.stdin.take().unwrap().write_all(word.as_bytes()).unwrap();
        let text = told(child);
        // The harness may say something in between.
        assert!(text.starts_with("one and two\n\nfrom std\n") && text.ends_with("three and four"), "{text}");
    }
}

/// An exit while a sibling holds the lock and waits does not hang.
#[test]
fn exiting_while_somebody_holds_the_lock() {
    if is_child() {
        return greenthread::run(|| {
            thread::spawn(|| {
                let _lock = io::stdout().lock();
                thread::park();
            });
            thread::yield_now();
            std::process::exit(0);
        });
    }
    assert!(end(piped()).status.success());
}

/// Closed descriptors take all output, as in std.
#[cfg(unix)]
#[test]
fn closed_outputs_swallow() {
    if is_child() {
        return greenthread::run(|| {
            // SAFETY: nothing else uses the descriptors here.
            unsafe {
                libc::close(1);
                libc::close(2);
            }
            greenthread::println!("nobody hears this");
            greenthread::eprintln!("nor this");
            io::stdout().flush().unwrap();
            std::process::exit(0);
        });
    }
    assert!(end(piped()).status.success());
}

/// Output to a file, or to a terminal that is read, needs no OS thread.
#[cfg(unix)]
#[test]
fn printing_goes_on_without_an_os_thread() {
    if is_child() {
        let runtime = greenthread::Runtime::builder().workers(1).blocking_threads(1).build().unwrap();
        let (mut one, mut other) = (0, 0);
        let null = std::ptr::null_mut();
        // SAFETY: the call writes two numbers to the places that it is given, and nothing else owns
        // these descriptors.
        let (terminal, _screen) = unsafe {
            let opened = libc::openpty(&raw mut one, &raw mut other, null, null.cast(), null.cast());
            assert_eq!(opened, 0);
            (File::from_raw_fd(other), File::from_raw_fd(one))
        };
        let path = scratch("threadless");
        let file = File::create(&path).unwrap();
        let failed = runtime.run(move || {
            let (keep, kept) = std::sync::mpsc::channel::<()>();
            let hog = thread::spawn(move || thread::unblock(move || kept.recv()));
            (0..10).for_each(|_| thread::yield_now());
            // SAFETY: the call touches no memory, and `before` is restored below.
            let before = unsafe { libc::dup(1) };
            let failed: Vec<_> = [terminal, file]
                .into_iter()
                .filter_map(|output| {
                    // SAFETY: both descriptors are open, and nothing relies on what the standard
                    // output is.
                    assert_eq!(unsafe { libc::dup2(output.as_raw_fd(), 1) }, 1);
                    writeln!(io::stdout(), "a line").err()
                })
                .collect();
            // SAFETY: both descriptors are open, and nothing relies on what the standard output is.
            assert_eq!(unsafe { libc::dup2(before, 1) }, 1);
            drop(keep);
            assert!(hog.join().unwrap().is_err());
            failed
        });
        let written = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        return tell(&format!("{written:?} {failed:?}"));
    }
    assert_eq!(told(piped()), r#""a line\n" []"#);
}

/// A full disk is an error.
#[cfg(unix)]
#[test]
fn an_error_is_an_error() {
    if is_child() {
        return greenthread::run(|| {
            let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
            // SAFETY: nothing else uses the descriptor here.
            assert_eq!(unsafe { libc::dup2(full.as_raw_fd(), 1) }, 1);
            let error = writeln!(io::stdout(), "too much").unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
            assert!(thread::spawn(|| greenthread::println!("too much")).join().is_err());
            std::process::exit(7);
        });
    }
    assert_eq!(end(piped()).status.code(), Some(7));
}

/// The harness captures what a test prints on its own OS thread, as with std. What a green thread
/// prints appears at once.
#[test]
fn a_harness_captures_what_an_os_thread_prints() {
    if is_child() {
        greenthread::print!("on the OS ");
        greenthread::println!("thread");
        greenthread::eprintln!("its stderr");
        greenthread::run(|| greenthread::println!("on a green thread"));
        panic!("so that it is shown");
    }
    let output = end(again().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let text = String::from_utf8(output.stdout).unwrap();
    let (before, shown) = text.split_once(&format!("---- {} stdout ----\n", test_name())).expect(&text);
    assert!(before.contains("on a green thread\n") && !before.contains("OS thread"), "{text}");
    assert!(shown.starts_with("on the OS thread\nits stderr\n"), "{text}");
    assert!(!shown.contains("green thread\n"), "{text}");
}

/// An OS thread prints through std, and a green thread through the library's own buffer. A line
/// with parts of both is in order.
#[test]
fn lines_of_both_kinds_of_threads_are_in_order() {
    if is_child() {
        greenthread::print!("<<<one ");
        greenthread::run(|| greenthread::print!("two "));
        greenthread::print!("three ");
        greenthread::run(|| io::stdout().write_all(b"four ")).unwrap();
        greenthread::print!("five\n{}", "");
        greenthread::run(|| greenthread::print!("six "));
        greenthread::println!("{} >>>", "seven");
        return;
    }
    assert_eq!(told(piped()), "one two three four five\nsix seven ");
}

/// A prompt that an OS thread has printed appears when any thread has flushed stdout.
#[test]
fn a_prompt_of_an_os_thread_is_flushed() {
    if is_child() {
        for flush in [|| io::stdout().flush(), || greenthread::run(|| io::stdout().flush())] {
            greenthread::print!("name? ");
            flush().unwrap();
            io::stdin().lines().next().unwrap().unwrap();
        }
        return;
    }
    let mut child = piped();
    let mut output = child.stdout.take().unwrap();
    let mut input = child.stdin.take().unwrap();
    in_time(move || {
        for _ in 0..2 {
            let mut seen = Vec::new();
            while !seen.ends_with(b"name? ") {
                let mut byte = [0];
                assert_eq!(output.read(&mut byte).unwrap(), 1);
                seen.push(byte[0]);
            }
            input.write_all(b"ada\n").unwrap();
        }
        drop(input);
        output.read_to_end(&mut Vec::new()).unwrap();
    });
    assert!(child.wait().unwrap().success());
}
