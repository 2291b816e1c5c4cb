//! The report of a panic on a green thread, which names the thread and is one piece of text.
//!
//! A hook may wait, as any other code may. While it does, std holds its lock of the hook for
//! reading. A call of `set_hook` blocks its OS thread until the hook has returned.

use core::{
    fmt::Write as _,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};
use std::{
    backtrace::Backtrace,
    env,
    panic::{self, PanicHookInfo},
    process, ptr,
};

use crate::{
    scheduler::report,
    sys::stderr::write_last_words,
    task::{
        block::Task,
        worker_core::{self, WorkerCore},
    },
};

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// Puts our hook before the one that is set. The first call does this, later ones do nothing. Nor
/// does a call while the OS thread is panicking, when std does not allow it.
///
/// For green threads, our hook takes the place of std's own. If the program has set one, ours
/// writes a line that names the green thread and then calls that hook. A hook that the program sets
/// later replaces ours.
pub(crate) fn install() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if std::thread::panicking() || INSTALLED.swap(true, Relaxed) {
        return;
    }
    let previous = panic::take_hook();
    // After `take_hook` no hook is set, and the next `take_hook` returns std's own.
    let is_stds = is_same(&*previous, &*panic::take_hook());
    panic::set_hook(Box::new(move |info| {
        let Some(task) = worker_core::get().and_then(WorkerCore::running) else { return previous(info) };
        // std does the same, but does not recognise the second panic if the hook has waited.
        if task.in_hook.replace(true) {
            write_last_words(b"green thread panicked while processing panic. aborting.\n");
            process::abort();
        }
        if is_stds {
            report::write(message(task, info));
        } else {
            report::write(format!("{}\n", headline(task, info)));
            previous(info);
        }
        task.in_hook.set(false);
    }));
}

/// Returns whether both are the same function without captured values.
#[allow(ambiguous_wide_pointer_comparisons, reason = "a wrong no is harmless, and a yes is never wrong")]
fn is_same(one: &Hook, other: &Hook) -> bool {
    size_of_val(one) == 0 && ptr::eq(one, other)
}

/// Returns std's first line about a panic, with the place where the thread was spawned.
fn headline(task: &Task, info: &PanicHookInfo<'_>) -> String {
    let name = task.block.name.as_deref().unwrap_or("<unnamed>");
    let mut text = format!("green thread '{name}', spawned at {}, panicked", task.location);
    if let Some(location) = info.location() {
        let _ = write!(text, " at {location}");
    }
    text
}

/// Returns the same message as std's hook.
fn message(task: &Task, info: &PanicHookInfo<'_>) -> String {
    static NOTED: AtomicBool = AtomicBool::new(false);
    let payload = info.payload_as_str().unwrap_or("Box<dyn Any>");
    let mut text = format!("\n{}:\n{payload}\n", headline(task, info));
    match env::var_os("RUST_BACKTRACE") {
        Some(style) if style == "full" => {
            let _ = write!(text, "stack backtrace:\n{:#}", Backtrace::force_capture());
        }
        Some(style) if style != "0" => {
            let all = Backtrace::force_capture().to_string();
            text.push_str("stack backtrace:\n");
            text.push_str(&shorten(&all));
            text.push_str(
                "note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.\n",
            );
        }
        _ if !NOTED.swap(true, Relaxed) => {
            text.push_str("note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n")
        }
        _ => {}
    }
    text
}

/// Returns a backtrace without the frames of the hook and those that start a thread, numbered anew.
/// In the text `all`, each frame is a line `number: symbol`, and perhaps a line with its place.
fn shorten(all: &str) -> String {
    let mut frames: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in all.lines() {
        let parts = line.trim_start().split_once(": ");
        match parts.filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit())) {
            Some((_, symbol)) => frames.push((symbol, Vec::new())),
            None => frames.iter_mut().last().into_iter().for_each(|(_, lines)| lines.push(line)),
        }
    }
    let find = |name: &str| frames.iter().position(|(symbol, _)| symbol.contains(name));
    let first = find("__rust_end_short_backtrace").map_or(0, |frame| frame + 1);
    let end = find("greenthread::task::job::run").unwrap_or(frames.len()).max(first);
    // The frames of std that call the closure and catch its panic come before the closure.
    let caught = |(symbol, _): &&(&str, _)| {
        ["std::panic", "core::ops::function", "core::panic", "<core::panic", "__rust_try"]
            .iter()
            .any(|name| symbol.starts_with(name))
    };
    let shown = &frames[first..end];
    let shown = &shown[..shown.len() - shown.iter().rev().take_while(caught).count()];
    let mut text = String::new();
    for (number, (symbol, lines)) in shown.iter().enumerate() {
        let _ = writeln!(text, "{number:4}: {symbol}");
        lines.iter().for_each(|line| {
            let _ = writeln!(text, "{line}");
        });
    }
    text
}
