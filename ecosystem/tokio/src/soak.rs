//! A soak: the threads of each exam call for a given time. Errors are counted, and so are panics of
//! tasks, which nobody may look at; and the memory is looked at early and late.

use std::{
    fs,
    panic::{set_hook, take_hook},
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use crate::{Asked, each, exams::CALLS};

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Holds all exams that are asked for, `time` each, and prints a table.
pub(crate) fn table(asked: Asked, time: Duration, names: &[String]) -> ExitCode {
    let report = take_hook();
    set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Relaxed);
        report(panic);
    }));
    let Asked { threads, workers, .. } = asked;
    println!(
        "{threads} green threads on {workers} workers, {} s each; resident memory in MiB",
        time.as_secs()
    );
    println!(
        "{:<17} {:<9} {:>10} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "crate", "version", "calls", "calls/s", "errors", "panics", "at 20 %", "at end"
    );
    let code = each(asked, names, |name, exam| {
        let begin = Instant::now();
        CALLS.store(0, Relaxed);
        PANICS.store(0, Relaxed);
        // By 20 % of the time all threads have had their turn.
        let memory = thread::spawn(move || {
            [time / 5, time * 4 / 5].map(|pause| {
                thread::sleep(pause);
                resident()
            })
        });
        let errors = exam(Asked { until: begin.checked_add(time), ..asked });
        let rate = CALLS.load(Relaxed) as f64 / begin.elapsed().as_secs_f64();
        let [early, late] = memory.join().unwrap_or_default();
        println!(
            "{name} {:>10} {rate:>8.0} {:>8} {:>8} {early:>8} {late:>8}",
            CALLS.load(Relaxed),
            errors.len(),
            PANICS.load(Relaxed),
        );
        errors
    });
    if PANICS.load(Relaxed) == 0 { code } else { ExitCode::FAILURE }
}

/// The process's resident memory, in MiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse().ok()).unwrap_or(0) / 1024
}
