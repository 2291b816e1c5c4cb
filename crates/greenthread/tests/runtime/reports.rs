//! Reports of a program in which something goes wrong, and bad settings. Each case runs in a
//! process of its own.

use std::{io, time::Duration};

use greenthread::{Runtime, thread};

use crate::common::{
    again, child, fill_stderr, is_child,
    machine::{Need, lacks},
    runtime, text, was_aborted, was_faulted,
};

#[test]
fn an_overflow_names_the_thread() {
    fn deep(n: u64) -> u64 {
        let frame = std::hint::black_box([n; 64]);
        if n == u64::MAX { 0 } else { deep(n + 1) + frame[(n % 64) as usize] }
    }
    if is_child() {
        let builder = thread::Builder::new().name("bottomless".into()).stack_size(128 * 1024);
        builder.spawn(|| deep(0)).unwrap().join().unwrap();
    }
    let out = child(|_| {});
    let said = text(&out);
    assert!(!out.status.success());
    for part in ["'bottomless' has overflowed its stack", "131072 bytes", "reports.rs:"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn an_overflow_of_an_os_thread_and_a_null_dereference_are_as_before() {
    if is_child() {
        runtime(1).run(|| {
            let null = std::hint::black_box(std::ptr::null::<u8>());
            // SAFETY: not sound. The process is meant to die here.
            std::hint::black_box(unsafe { null.read_volatile() });
        });
    }
    let out = child(|_| {});
    assert!(was_faulted(&out), "{}", text(&out));
}

#[test]
fn a_panic_message_names_the_thread() {
    if is_child() {
        let named = thread::Builder::new().name("clumsy".into());
        let result = named.spawn(|| panic!("dropped it")).unwrap().join();
        assert!(result.is_err());
        return;
    }
    let out = child(|_| {});
    let said = text(&out);
    assert!(out.status.success(), "{said}");
    assert!(said.contains("green thread 'clumsy'") && said.contains("dropped it"), "{said}");
}

#[test]
fn a_hook_of_the_users_is_respected() {
    if is_child() {
        std::panic::set_hook(Box::new(|info| {
            // A hook that waits must not let a sibling run: a second panic in a hook would abort.
            thread::yield_now();
            thread::sleep(Duration::from_millis(1));
            println!("mine: {}", info.payload().downcast_ref::<&str>().unwrap());
        }));
        runtime(1).run(|| {
            let both = [1, 2].map(|_| thread::spawn(|| panic!("once")));
            let _ = both.map(|thread| assert!(thread.join().is_err()));
        });
        return;
    }
    let out = child(|_| {});
    assert!(out.status.success(), "{}", text(&out));
    assert_eq!(text(&out).matches("mine: once").count(), 2, "{}", text(&out));
}

#[test]
fn a_backtrace_names_the_users_function() {
    #[inline(never)]
    fn where_it_happened() {
        thread::yield_now();
        panic!("here");
    }
    if is_child() {
        let result = thread::spawn(|| {
            where_it_happened();
            std::hint::black_box(());
        });
        assert!(result.join().is_err());
        return;
    }
    for style in ["1", "full"] {
        let out = child(|command| {
            command.env("RUST_BACKTRACE", style);
        });
        let said = text(&out);
        assert!(said.contains("where_it_happened"), "{said}");
        let line =
            said.lines().skip_while(|line| !line.contains("where_it_happened")).nth(1).unwrap_or_default();
        assert!(line.contains("reports.rs:"), "{said}");
    }
}

#[test]
fn output_of_green_threads_is_nobodys_capture() {
    if is_child() {
        // The harness captures this test's output. The worker that starts here must not inherit
        // that.
        thread::spawn(|| println!("printed by a worker")).join().unwrap();
        return;
    }
    let out = again().output().unwrap();
    assert!(out.status.success());
    assert!(text(&out).contains("printed by a worker"), "{}", text(&out));
}

#[test]
fn bad_variables_are_named() {
    const VARIABLE: &str = "GREENTHREAD_TEST_VARIABLE";
    if is_child() {
        // Not in the child's environment from the start: with RUST_MIN_STACK=0 the harness would
        // start this test on a stack that is too small for it where the C library has no minimum.
        let asked = std::env::var(VARIABLE).unwrap();
        let (variable, value) = asked.split_once('=').unwrap();
        // SAFETY: no other OS thread of this process uses the environment.
        unsafe { std::env::set_var(variable, value) };
        let error = thread::Builder::new().spawn(|| ()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        println!("said: {error}");
        return;
    }
    for (variable, values) in [
        ("GREENTHREAD_WORKERS", ["0", "many", "-1", "99999999999999999999"]),
        ("GREENTHREAD_STACK_SIZE", ["0", "big", "", "18446744073709551615"]),
        ("RUST_MIN_STACK", ["0", "1e9", "x", "9999999999999999999"]),
        ("GREENTHREAD_WATCHDOG", ["2", "yes", "", "-1"]),
        ("GREENTHREAD_IO", ["epoll", "0", "", "URING"]),
    ] {
        // On Windows an empty variable is none.
        for value in values.into_iter().filter(|value| cfg!(unix) || !value.is_empty()) {
            // There the test's own harness can't make a thread with such a stack.
            if cfg!(windows) && (variable, value) == ("RUST_MIN_STACK", "9999999999999999999") {
                continue;
            }
            let out = child(|command| {
                command.env(VARIABLE, format!("{variable}={value}"));
            });
            let said = text(&out);
            assert!(out.status.success(), "{variable}={value}: {said}");
            assert!(said.contains(&format!("said: {variable} is")), "{variable}={value}: {said}");
        }
    }
}

#[test]
fn a_bad_stack_size_is_an_error() {
    for size in [0, usize::MAX, usize::MAX / 2, (1 << (usize::BITS - 2).min(45)) + 1] {
        let error = thread::Builder::new().stack_size(size).spawn(|| ()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{size}: {error}");
        let error = Runtime::builder().stack_size(size).build().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{size}: {error}");
    }
    // Small sizes are rounded up to what a panic needs.
    let deep =
        thread::Builder::new().stack_size(1).spawn(|| std::panic::catch_unwind(|| panic!("small")).is_err());
    assert!(deep.unwrap().join().unwrap());
}

#[test]
fn ten_million_threads_with_a_gigabyte_each_are_refused() {
    if is_child() {
        let rt = runtime(1);
        rt.run(|| {
            let mut threads = Vec::new();
            let error = loop {
                assert!(threads.len() < 10_000_000);
                match thread::Builder::new().stack_size(1 << 30).spawn(|| ()) {
                    Ok(thread) => threads.push(thread),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
            println!("after {}: {error}", threads.len());
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            // The runtime goes on.
            assert_eq!(thread::spawn(|| 5).join().unwrap(), 5);
        });
        return;
    }
    let out = child(|_| {});
    assert!(out.status.success(), "{}", text(&out));
    // Where guards take maps, these run out first.
    let advice = ["stack_size", "vm.max_map_count"];
    assert!(advice.iter().any(|advice| text(&out).contains(advice)), "{}", text(&out));
}

/// Limits the address space of this process to `more` bytes beyond what it has.
#[cfg(unix)]
fn limit_memory(more: u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let size = status.lines().find(|line| line.starts_with("VmSize")).unwrap();
    let size: u64 = size.split_whitespace().nth(1).unwrap().parse().unwrap();
    let limit = rustix::process::Rlimit { current: Some(size * 1024 + more), maximum: None };
    rustix::process::setrlimit(rustix::process::Resource::As, limit).unwrap();
}

#[cfg(unix)]
#[test]
fn without_memory_for_stacks_there_is_an_error_and_the_runtime_goes_on() {
    if lacks(&[Need::OwnMemory]) {
        return;
    }
    if is_child() {
        let rt = runtime(2);
        rt.run(|| thread::spawn(|| ()).join().unwrap());
        limit_memory(256 << 20);
        rt.run(|| {
            // Parked threads with 4 MiB each. There is room for some 50.
            let mut threads = Vec::new();
            let error = loop {
                assert!(threads.len() < 100_000, "no error");
                match thread::Builder::new().stack_size(4 << 20).spawn(thread::park) {
                    Ok(thread) => threads.push(thread),
                    Err(error) => break error,
                }
                thread::yield_now();
            };
            println!("after {}: {error}", threads.len());
            assert_eq!(thread::Builder::new().spawn(|| 1).map_or(1, |thread| thread.join().unwrap()), 1);
            // As stacks come free, the threads that found none start.
            threads.iter().for_each(|thread| thread.thread().unpark());
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(thread::spawn(|| 2).join().unwrap(), 2);
        });
        return;
    }
    let out = child(|command| {
        command.env("MALLOC_ARENA_MAX", "1");
    });
    assert!(out.status.success(), "{}", text(&out));
}

#[cfg(unix)]
#[test]
fn a_thread_that_can_have_no_stack_ends_with_the_error() {
    if lacks(&[Need::OwnMemory]) {
        return;
    }
    if is_child() {
        let rt = runtime(1);
        let dropped = std::sync::Arc::new(());
        let inside = dropped.clone();
        // It starts when this thread has ended. Then there is no started thread that could free a
        // stack.
        let handle = rt.run(|| {
            let handle = thread::spawn(move || drop(inside));
            limit_memory(64 << 20);
            assert!(
                thread::Builder::new().spawn(|| ()).is_err(),
                "what can't be promised is refused at once"
            );
            handle
        });
        let error = handle.join().unwrap_err().downcast::<io::Error>().unwrap();
        println!("join: {error}");
        assert_eq!(std::sync::Arc::strong_count(&dropped), 1, "the closure is dropped");
        // It has given back what it was promised.
        thread::sleep(Duration::from_millis(20));
        assert_eq!(rt.run(|| 3), 3);
        return;
    }
    let out = child(|command| {
        command
            .env("MALLOC_ARENA_MAX", "1")
            .env("GREENTHREAD_STACK_SIZE", (1_u64 << (usize::BITS - 3).min(33)).to_string());
    });
    assert!(out.status.success(), "{}", text(&out));
    assert!(text(&out).contains("join: "), "{}", text(&out));
}

#[cfg(unix)]
#[test]
fn without_descriptors_a_runtime_is_an_error() {
    if is_child() {
        let rt = runtime(1);
        let limit = rustix::process::Rlimit { current: Some(8), maximum: Some(8) };
        rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
        let error = Runtime::builder().workers(8).build().unwrap_err().to_string();
        assert!(error.contains("no descriptor left for 8 workers") && error.contains("ulimit -n"), "{error}");
        rt.run(|| {
            let mut listeners = Vec::new();
            let error = loop {
                match greenthread::net::TcpListener::bind("127.0.0.1:0") {
                    Ok(listener) => listeners.push(listener),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
            let address = listeners[0].local_addr().unwrap();
            listeners.truncate(1);
            let error = greenthread::net::TcpListener::bind(address).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
            assert_eq!(thread::spawn(|| 1).join().unwrap(), 1);
        });
        return;
    }
    let out = child(|_| {});
    assert!(out.status.success(), "{}", text(&out));
}

/// The limit of the fallback without guard markers is an error that says which limit to raise.
#[cfg(unix)]
#[test]
fn the_limit_of_maps_is_named() {
    if is_child() {
        let rt = runtime(2);
        rt.run(|| {
            let mut threads = Vec::new();
            let error = loop {
                assert!(threads.len() < 100_000, "no error");
                if threads.len() % 100 == 0 {
                    // The spawner shall not run far ahead of the threads that start.
                    thread::sleep(Duration::from_micros(100));
                }
                match thread::Builder::new().stack_size(64 * 1024).spawn(thread::park) {
                    Ok(thread) => threads.push(thread),
                    Err(error) => break error,
                }
                thread::yield_now();
            };
            println!("after {}: {error}", threads.len());
            assert!(threads.len() > 25_000);
            threads.iter().for_each(|thread| thread.thread().unpark());
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(thread::spawn(|| 5).join().unwrap(), 5);
        });
        return;
    }
    let out = child(|command| {
        command.env("GREENTHREAD_STACK_GUARD", "mprotect");
    });
    assert!(out.status.success(), "{}", text(&out));
    assert!(text(&out).contains("vm.max_map_count"), "{}", text(&out));
}

/// Several workers panic at once. Each message is one piece.
#[test]
fn a_panic_message_is_one_piece() {
    const THREADS: usize = 60;
    if is_child() {
        runtime(4).run(|| {
            let spawn = |n: usize| {
                let builder = thread::Builder::new().name(format!("t{n}"));
                // Some messages are longer than what a pipe takes in one piece.
                let more = "x".repeat(if n.is_multiple_of(3) { 20_000 } else { 10 });
                builder.spawn(move || panic!("message {n} {more}")).unwrap()
            };
            let threads: Vec<_> = (0..THREADS).map(spawn).collect();
            threads.into_iter().for_each(|thread| assert!(thread.join().is_err()));
        });
        return;
    }
    let out = child(|_| {});
    assert!(out.status.success(), "{}", text(&out));
    let said = String::from_utf8_lossy(&out.stderr);
    let lines: Vec<_> = said.lines().collect();
    for n in 0..THREADS {
        let head = format!("green thread 't{n}', spawned at ");
        let at =
            lines.iter().position(|line| line.starts_with(&head)).unwrap_or_else(|| panic!("{n}: {said}"));
        assert!(lines[at].contains(" panicked at ") && lines[at].ends_with(':'), "{}", lines[at]);
        let more = "x".repeat(if n.is_multiple_of(3) { 20_000 } else { 10 });
        assert_eq!(lines[at + 1], format!("message {n} {more}"));
    }
}

/// A hook of the program runs after one whole line about the green thread.
#[test]
fn a_hook_of_the_users_comes_after_a_line_that_names_the_thread() {
    if is_child() {
        std::panic::set_hook(Box::new(|info| eprintln!("mine: {}", info.payload_as_str().unwrap())));
        runtime(1).run(|| {
            let builder = thread::Builder::new().name("clumsy".into());
            assert!(builder.spawn(|| panic!("dropped it")).unwrap().join().is_err());
        });
        return;
    }
    // On a slow machine the watchdog would have its say between the two lines.
    let out = child(|command| _ = command.env("GREENTHREAD_WATCHDOG", "0"));
    let said = text(&out);
    let mut lines = said.lines().skip_while(|line| !line.starts_with("green thread 'clumsy', spawned at "));
    let place = lines.next().unwrap_or_default();
    assert!(place.split_once(" panicked at ").is_some_and(|(_, at)| at.contains("reports.rs:")), "{said}");
    assert_eq!(lines.next(), Some("mine: dropped it"), "{said}");
}

#[test]
fn a_panic_with_a_full_standard_error_keeps_only_its_thread() {
    if is_child() {
        let mut reader = fill_stderr();
        runtime(1).run(move || {
            let panics = [1, 2].map(|_| thread::spawn(|| panic!("nobody hears it")));
            (0..10).for_each(|_| thread::sleep(Duration::from_millis(1)));
            assert!(panics.iter().all(|thread| !thread.is_finished()));
            println!("the sibling goes on");
            let drain = std::thread::spawn(move || io::copy(&mut reader, &mut io::sink()));
            let _ = panics.map(|thread| assert!(thread.join().is_err()));
            println!("and so do they");
            drop(drain);
        });
        return;
    }
    let out = child(|_| {});
    assert!(out.status.success(), "{}", text(&out));
    assert!(text(&out).contains("the sibling goes on") && text(&out).contains("and so do they"));
}

#[test]
fn an_overflow_with_a_full_standard_error_aborts() {
    if lacks(&[Need::QuietAborts]) {
        return;
    }
    fn deep(n: u64) -> u64 {
        let frame = std::hint::black_box([n; 64]);
        if n == u64::MAX { 0 } else { deep(n + 1) + frame[(n % 64) as usize] }
    }
    if is_child() {
        let _reader = fill_stderr();
        let builder = thread::Builder::new().stack_size(128 * 1024);
        builder.spawn(|| deep(0)).unwrap().join().unwrap();
    }
    let out = child(|_| {});
    assert!(was_aborted(&out), "{}", text(&out));
}
