//! One exam in one way, in a process of its own.

use std::{
    env, fmt, fs,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use ecosystem_common::processor_time;
use greenthread::thread::Builder;

use crate::Exam;

/// How the threads of an exam come to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Each is an OS thread.
    Std,
    /// Each is a green thread that makes its call on an OS thread of the blocking pool.
    Unblock,
    /// Each is a green thread with thread-locals of its own, on one worker.
    Foreign,
}

/// What a run took: milliseconds, milliseconds of processor time, MiB of memory.
pub(crate) struct Figures([u64; 3]);

/// The time after which a run counts as hung.
const LIMIT: Duration = Duration::from_secs(60);

/// The size of the stacks of green threads. C libraries need more than most Rust code.
const STACK_SIZE: usize = 1 << 20;

impl Way {
    pub(crate) const ALL: [Self; 3] = [Self::Std, Self::Unblock, Self::Foreign];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Std => "std",
            Self::Unblock => "unblock",
            Self::Foreign => "foreign",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }

    /// Runs an exam, and measures it.
    pub(crate) fn measure(self, exam: &Exam, threads: usize, address: &str) -> Figures {
        let call = Arc::new((exam.prepare)(address, threads));
        let begin = Instant::now();
        match self {
            Self::Std => {
                let spawn = |number| {
                    let call = Arc::clone(&call);
                    thread::spawn(move || call(number))
                };
                let threads: Vec<_> = (0..threads).map(spawn).collect();
                threads.into_iter().for_each(|thread| thread.join().expect("the call succeeds"));
            }
            Self::Unblock | Self::Foreign => {
                let runtime = greenthread::Runtime::builder().workers(1).build().expect("a runtime");
                runtime.run(|| {
                    let spawn = |number| {
                        let call = Arc::clone(&call);
                        let builder = Builder::new().stack_size(STACK_SIZE);
                        match self {
                            Self::Foreign => builder.own_tls(true).spawn(move || call(number)),
                            _ => builder.spawn(move || greenthread::thread::unblock(|| call(number))),
                        }
                    };
                    let threads: Vec<_> =
                        (0..threads).map(|number| spawn(number).expect("a thread")).collect();
                    threads.into_iter().for_each(|thread| thread.join().expect("the call succeeds"));
                });
            }
        }
        let millis = |time: Duration| time.as_millis() as u64;
        Figures([millis(begin.elapsed()), millis(processor_time()), peak() / 1024])
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [millis, processor, memory] = self.0;
        write!(f, "{millis} / {processor} / {memory}")
    }
}

/// The most memory that this process had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

/// Runs an exam in a process of its own.
pub(crate) fn elsewhere(exam: &Exam, way: Way, threads: usize, address: &str) -> Result<Figures, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let arguments = ["--one", exam.name, way.name(), &threads.to_string(), address];
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let begin = Instant::now();
    while begin.elapsed() < LIMIT && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(Duration::from_millis(10));
    }
    let hangs = matches!(child.try_wait(), Ok(None));
    // It has ended by itself, unless it hangs.
    _ = child.kill();
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if hangs {
        return Err(format!("no end after {} seconds", LIMIT.as_secs()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    match numbers[..] {
        [millis, processor, memory] => Ok(Figures([millis, processor, memory])),
        _ => {
            let error = String::from_utf8_lossy(&output.stderr);
            let first = error.lines().find(|line| line.contains("Error") || line.contains("error"));
            Err(format!("{}: {}", output.status, first.or(error.lines().next()).unwrap_or("")))
        }
    }
}
