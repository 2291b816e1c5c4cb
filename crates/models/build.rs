//! Makes copies of the library's pool with one mistake each, for the models to find.

use std::{env, fs, path::Path};

/// The mistakes: a name, what is there, and what is put in its place.
const MISTAKES: &[(&str, &str, &str)] = &[
    // A job's caller goes on before the thread that ran it is idle.
    (
        "finishes_early",
        "finished = Some(job);\n                state",
        "job.finish();\n                finished = None;\n                state",
    ),
    // A thread becomes idle without having looked at the queue under the same lock.
    (
        "idle_late",
        "} else {\n                state.idle",
        "} else {\n                drop(state);\n                state = self.lock();\n                state.idle",
    ),
    // A thread runs its job without having called the next thread.
    (
        "calls_nobody",
        "let call = state.call(self.limit);\n                drop",
        "let call = Call::Nobody;\n                drop",
    ),
    // A thread that has started says so only when it has nothing to do.
    ("comes_late", "state.starting = false;\n        loop {", "loop {"),
    // An idle thread that is called at the last moment ends all the same.
    (
        "ends_although_called",
        "drop(state);\n        // It was called after its timeout. The token is on its way.\n        parker.park();\n        true",
        "state.threads -= 1;\n        false",
    ),
    // An idle thread that is called at the last moment goes on, and leaves the token for its next
    // sleep.
    ("leaves_the_token", "parker.park();", ""),
    // A thread that ends stays in the list of idle ones.
    ("stays_in_the_list", "state.idle.remove(place);", "let _ = place;"),
    // A thread that could not be started is still counted.
    ("counts_the_unstarted", "self.starting = false;\n        self.threads -= 1;", "self.starting = false;"),
    // A thread that could not be started leaves the lane in the state "one is starting".
    ("starts_once", "self.starting = false;\n        self.threads -= 1;", "self.threads -= 1;"),
    // A thread that was woken leaves the lane in the state "one is waking".
    ("wakes_once", "state.waking = false;", ""),
    // With no thread left, jobs that may queue stay in the queue.
    ("keeps_the_queue", "if self.threads == 0 { mem::take", "if false { mem::take"),
    // Jobs that may not queue do.
    (
        "queues_all",
        "Call::Refuse(why, [mem::take(&mut self.urgent), queue])",
        "Call::Refuse(why, [VecDeque::new(), queue])",
    ),
    // A caller looks for its job, and then takes it out, with the lock given back in between.
    (
        "withdraws_another",
        "state.queue.remove(place)",
        "drop(state);\n        state = self.lock();\n        state.queue.remove(place)",
    ),
    // The end wakes nobody.
    ("ends_silently", "idle.iter().for_each(|thread| thread.unpark());", "drop(idle);"),
    // No thread looks whether the lane has been closed.
    ("ends_unseen", "let closed = state.closed;", "let closed = false;"),
];

fn main() {
    let source = Path::new("../greenthread/src/blocking/lane.rs");
    println!("cargo::rerun-if-changed={}", source.display());
    println!("cargo::rerun-if-changed=build.rs");
    let text = fs::read_to_string(source).expect("the library's file");
    // A file that is included can't have inner documentation.
    let text: String =
        text.lines().filter(|line| !line.starts_with("//!")).map(|line| format!("{line}\n")).collect();
    let out = env::var("OUT_DIR").expect("cargo sets it");
    for (name, sound, wrong) in MISTAKES {
        assert_eq!(text.matches(sound).count(), 1, "{name}: {sound:?} is not there once");
        fs::write(Path::new(&out).join(format!("{name}.rs")), text.replace(sound, wrong))
            .expect("it can be written");
    }
}
