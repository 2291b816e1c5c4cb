//! A soak: all exams at once on one runtime, and the threads of each call for a given time. Errors
//! are counted, and so are panics of tasks, which nobody may look at; and the memory is looked at
//! early and late.

use std::{
    fs,
    panic::{set_hook, take_hook},
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use ecosystem_common::{is_asked, servers::Servers, version};
use greenthread::Runtime;
use greenthread_tokio::RuntimeExt;

use crate::{Asked, LOCK, exams::EXAMS};

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Holds all exams that are asked for, and prints a table.
pub(crate) fn table(asked: Asked, time: Duration, names: &[String]) -> ExitCode {
    let report = take_hook();
    set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Relaxed);
        report(panic);
    }));
    let mut servers = Servers::default();
    let mut exams = Vec::new();
    for exam in EXAMS.iter().filter(|exam| is_asked(exam.name, names)) {
        match exam.server.map_or(Ok(String::new()), |kind| servers.address(kind)) {
            Ok(address) => exams.push((exam, address, &*Box::leak(Box::new(AtomicUsize::new(0))))),
            Err(error) => {
                println!("{} not run: {error}", exam.name);
                return ExitCode::FAILURE;
            }
        }
    }
    let runtime = match Runtime::builder().workers(asked.workers).tokio().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            println!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };

    let Asked { threads, workers, .. } = asked;
    println!(
        "{} exams, each of {threads} green threads, on {workers} workers for {} s",
        exams.len(),
        time.as_secs()
    );
    // By 20 % of the time all threads have had their turn.
    let memory = thread::spawn(move || {
        [time / 5, time * 3 / 5, time / 5].map(|pause| {
            thread::sleep(pause);
            resident()
        })
    });
    let begin = Instant::now();
    let until = begin.checked_add(time);
    let all_errors = runtime.run(|| {
        greenthread::thread::scope(|scope| {
            let held = Vec::from_iter(exams.iter().map(|(exam, address, made)| {
                scope.spawn(move || (exam.run)(Asked { until, made, ..asked }, address))
            }));
            Vec::from_iter(
                held.into_iter().map(|exam| exam.join().unwrap_or_else(|_| vec!["a panic".into()])),
            )
        })
    });
    let took = begin.elapsed().as_secs_f64();
    // All green threads have ended, and then tokio's tasks are dropped.
    let has_ended = runtime.shutdown_timeout(Duration::from_secs(30));

    println!("{:<17} {:<9} {:>10} {:>8} {:>8}", "crate", "version", "calls", "calls/s", "errors");
    for ((exam, _, made), errors) in exams.iter().zip(&all_errors) {
        let (version, made) = (version(exam.name, LOCK), made.load(Relaxed));
        let rate = made as f64 / took;
        println!("{:<17} {version:<9} {made:>10} {rate:>8.0} {:>8}", exam.name, errors.len());
        if let Some(error) = errors.first() {
            println!("{:<17} the first: {error}", "");
        }
    }
    let panics = PANICS.load(Relaxed);
    let [early, late, end] = memory.join().unwrap_or_default();
    println!(
        "panics: {panics}; resident memory: {early} MiB after 20 % of the time, {late} after 80 %, {end} at its end"
    );
    if !has_ended {
        println!("some threads have not ended");
    }
    let is_well = has_ended && panics == 0 && all_errors.iter().all(Vec::is_empty);
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The process's resident memory, in MiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse().ok()).unwrap_or(0) / 1024
}
