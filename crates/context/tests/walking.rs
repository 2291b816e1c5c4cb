//! Walks of green stacks: by `std::backtrace`, through the bridge, and by gdb.

mod common;

use std::backtrace::Backtrace;
use std::hint::black_box;

use common::{Green, Here, command, find, is_child, is_foreign};
use greenthread_context::{Coroutine, Suspender, with_bridge};

/// The symbols of a backtrace, innermost first.
fn symbols(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.trim_start().split_once(": "))
        .filter(|(number, _)| number.parse::<u32>().is_ok())
        .map(|(_, symbol)| symbol)
        .collect()
}

fn position(symbols: &[&str], name: &str) -> usize {
    symbols
        .iter()
        .position(|symbol| symbol.contains(name))
        .unwrap_or_else(|| panic!("no {name} in {symbols:#?}"))
}

/// Asserts that a walk went through `names` in this order, to the end of the stack and not beyond.
fn check(text: &str, names: &[&str]) {
    let symbols = symbols(text);
    let mut last = 0;
    for name in names {
        let at = position(&symbols, name);
        assert!(at >= last, "{name} out of order in {symbols:#?}");
        last = at;
    }
    assert!(symbols.last().unwrap().contains("start"), "{symbols:#?}");
    assert!(!text.contains("__rust_begin_short_backtrace"), "the walk left the stack: {symbols:#?}");
    assert!(symbols.iter().all(|symbol| !symbol.contains("<unknown>")), "{symbols:#?}");
}

thread_local! {
    static TEXT: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

fn record() {
    TEXT.set(Backtrace::force_capture().to_string());
}

extern "C" fn record_from_bridge(data: *mut u8) {
    assert_eq!(data as usize, 5);
    record();
}

#[inline(never)]
fn outer_green(here: &Here, arg: usize) -> usize {
    // An array makes the compiler keep a frame. Its odd size makes a wrong offset show.
    let noise = black_box([arg; 37]);
    black_box(inner_green(here) + noise[3])
}

#[inline(never)]
fn inner_green(here: &Here) -> usize {
    record();
    black_box(here.suspend(1))
}

/// A frame with a large alignment, which the compiler addresses through a base pointer.
#[inline(never)]
fn realigned_green(here: &Here, arg: usize) -> usize {
    #[repr(align(64))]
    struct Wide([usize; 16]);
    let wide = black_box(Wide([arg; 16]));
    black_box(here.suspend(1)) + wide.0[3]
}

#[test]
fn a_backtrace_ends_at_the_entry() {
    let mut green = Green::new(outer_green);
    green.resume(0);
    check(&TEXT.take(), &["record", "inner_green", "outer_green", "green_entry", "start"]);
}

#[test]
fn the_bridge_leads_into_a_suspended_context() {
    let mut green = Green::new(outer_green);
    green.resume(0);
    for _ in 0..2 {
        // SAFETY: the context is suspended.
        unsafe { with_bridge(green.context(), record_from_bridge, 5 as *mut u8) };
        let text = TEXT.take();
        check(
            &text,
            &["record_from_bridge", "with_bridge", "inner_green", "outer_green", "green_entry", "start"],
        );
    }
    // The walks have not changed the context.
    assert_eq!(green.resume(3), 3);

    let mut green = Green::new(realigned_green);
    green.resume(4);
    // SAFETY: the context is suspended.
    unsafe { with_bridge(green.context(), record_from_bridge, 5 as *mut u8) };
    check(&TEXT.take(), &["with_bridge", "realigned_green", "green_entry", "start"]);
    assert_eq!(green.resume(3), 7);
}

#[test]
fn the_bridge_leads_into_an_unstarted_context() {
    let green = Green::new(|_, _| 0);
    // SAFETY: the context is suspended.
    unsafe { with_bridge(green.context(), record_from_bridge, 5 as *mut u8) };
    check(&TEXT.take(), &["record_from_bridge", "with_bridge", "start"]);
}

#[test]
fn a_walk_of_a_coroutine_goes_on_into_its_resumer() {
    #[inline(never)]
    fn generator_body(co: &Suspender<(), i32>) {
        co.suspend(1);
        record();
        co.suspend(2);
    }
    #[inline(never)]
    fn resumes_it(co: &mut Coroutine<(), i32, ()>) {
        black_box(co.next());
    }
    let mut co = Coroutine::new(|co, ()| generator_body(co));
    co.next();
    resumes_it(&mut co);
    let text = TEXT.take();
    let symbols = symbols(&text);
    let (body, start) = (position(&symbols, "generator_body"), position(&symbols, "start_linked"));
    let (resumer, test) =
        (position(&symbols, "resumes_it"), position(&symbols, "__rust_begin_short_backtrace"));
    assert!(body < start && start < resumer && resumer < test, "{text}");
}

#[test]
fn gdb_walks_a_green_stack() {
    #[unsafe(no_mangle)]
    #[inline(never)]
    extern "C" fn gdb_stops_here() {
        black_box(());
    }
    #[inline(never)]
    fn green_for_gdb(here: &Here) {
        gdb_stops_here();
        here.suspend(0);
    }
    #[inline(never)]
    fn coroutine_for_gdb(co: &Suspender<(), ()>) {
        Green::new(|here, _| {
            green_for_gdb(here);
            0
        })
        .resume(0);
        gdb_stops_here();
        co.suspend(());
    }
    if is_child() {
        Coroutine::new(|co, ()| coroutine_for_gdb(co)).next();
        return;
    }
    let Some(gdb) = find("gdb").filter(|_| !is_foreign()) else {
        eprintln!("skipped: no gdb for this machine");
        return;
    };
    let mut gdb = std::process::Command::new(gdb);
    gdb.args([
        "-nx",
        "-batch",
        "-iex",
        "set print frame-arguments none",
        "-iex",
        "set debuginfod enabled off",
        "-ex",
        "break gdb_stops_here",
    ]);
    gdb.args(["-ex", "run", "-ex", "bt", "-ex", "continue", "-ex", "bt", "-ex", "kill", "--args"])
        .arg(std::env::current_exe().unwrap());
    let output = command(gdb, "gdb_walks_a_green_stack").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    if !text.contains("Breakpoint 1, ") {
        eprintln!("skipped: gdb cannot run it here: {errors}");
        return;
    }
    let (green, coroutine) = text.split_at(text.rfind("Breakpoint 1, ").unwrap());
    // The walk of the green stack stops at its end. The walk of the coroutine goes on to the test.
    let lines: Vec<&str> = green.lines().filter(|line| line.starts_with('#')).collect();
    position(&lines, "green_for_gdb");
    assert!(lines.last().unwrap().contains("start"), "{text}");
    let lines: Vec<&str> = coroutine.lines().filter(|line| line.starts_with('#')).collect();
    assert!(position(&lines, "coroutine_for_gdb") < position(&lines, "start_linked"), "{text}");
    assert!(position(&lines, "start_linked") < position(&lines, "resume"), "{text}");
    assert!(lines.last().unwrap().contains("clone"), "{text}");
    for bad in ["Backtrace stopped", "corrupt", "Cannot access memory", "??"] {
        assert!(!text.contains(bad) && !errors.contains(bad), "{text}{errors}");
    }
}
