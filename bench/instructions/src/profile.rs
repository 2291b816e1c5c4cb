//! One work under Callgrind: how often each instruction was executed.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::code::{Code, Kind};
use crate::count::Count;
use crate::measured;

/// An instruction: the number of its file among the profile's objects, and its address there.
type Place = (usize, u64);

pub struct Profile {
    operations: f64,
    objects: Vec<Code>,
    /// How often each instruction was executed, and the symbol that it is in.
    executed: HashMap<Place, (u64, String)>,
}

/// Runs this program under Valgrind.
pub fn take(work: &str) -> Result<Profile, Box<dyn Error>> {
    let out = env::temp_dir().join(format!("instructions-{}.out", std::process::id()));
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--collect-atstart=no", "--dump-instr=yes", "--dump-line=no"])
        .args(["--compress-strings=no", "--compress-pos=no", "--combine-dumps=yes"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe()?)
        .env(measured::VARIABLE, work)
        .env("RUST_BACKTRACE", "0")
        .output()
        .map_err(|error| format!("valgrind can't be run: {error}"))?;
    let text = fs::read_to_string(&out);
    _ = fs::remove_file(&out);
    let said = String::from_utf8_lossy(&run.stdout);
    match said.trim().parse::<u32>() {
        Ok(operations) if run.status.success() => parse(&text?, f64::from(operations)),
        _ => Err(format!("it failed:\n{said}{}", String::from_utf8_lossy(&run.stderr)).into()),
    }
}

/// Callgrind's format, as far as the options above use it: a line `ob=` for the object, `fn=` for
/// the symbol, then `ADDRESS COUNT` for each instruction. The line after `calls=` is the whole cost
/// of a call, and no instruction.
fn parse(text: &str, operations: f64) -> Result<Profile, Box<dyn Error>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut executed: HashMap<Place, (u64, String)> = HashMap::new();
    let (mut object, mut symbol, mut total) = (0, "", None);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(path) = line.strip_prefix("ob=") {
            let path = Path::new(path);
            object = paths.iter().position(|known| known == path).unwrap_or_else(|| {
                paths.push(path.to_owned());
                paths.len() - 1
            });
        } else if let Some(name) = line.strip_prefix("fn=") {
            symbol = name;
        } else if line.starts_with("calls=") {
            lines.next();
        } else if let Some((address, count)) = line.strip_prefix("0x").and_then(|line| line.split_once(' ')) {
            let place = (object, u64::from_str_radix(address, 16)?);
            executed.entry(place).or_insert_with(|| (0, symbol.to_owned())).0 += count.parse::<u64>()?;
        } else if let Some(sum) = line.strip_prefix("totals: ") {
            total = Some(sum.parse::<u64>()?);
        }
    }
    if total != Some(executed.values().map(|(count, _)| count).sum()) {
        return Err("Callgrind's file isn't as it should be: its total is another".into());
    }
    let objects = paths.iter().map(|path| Code::open(path)).collect();
    Ok(Profile { operations, objects, executed })
}

/// Functions of this source are not shown.
const HARNESS: &str = "instructions/";

/// The cost of a function: its own instructions, those with the functions inlined into it, and how
/// many of the latter are atomic.
#[derive(Default)]
struct Cost {
    own: u64,
    inlined: u64,
    atomics: u64,
}

impl Profile {
    fn kind(&self, (object, address): Place) -> Kind {
        self.objects[object].kind(address)
    }

    fn per_operation(&self, count: u64) -> f64 {
        count as f64 / self.operations
    }

    pub fn count(&self) -> Count {
        let sum = |of: &dyn Fn(Kind, &str) -> bool| {
            let counts = self.executed.iter().filter(|(place, (_, symbol))| of(self.kind(**place), symbol));
            self.per_operation(counts.map(|(_, (count, _))| count).sum())
        };
        // Under Valgrind there is no vDSO, so the clock is read by a system call.
        let is_clock = |symbol: &str| symbol.starts_with("clock_gettime");
        Count {
            instructions: sum(&|_, _| true),
            atomics: sum(&|kind, _| kind == Kind::Atomic),
            returns: sum(&|kind, _| kind == Kind::Return),
            kernel: sum(&|kind, symbol| kind == Kind::Kernel && !is_clock(symbol)),
            clock: sum(&|kind, symbol| kind == Kind::Kernel && is_clock(symbol)),
        }
    }

    /// The functions that cost most, by themselves or with what they have inlined.
    pub fn top(&self, most: usize, inlined: bool) -> Result<String, Box<dyn Error>> {
        let mut costs: HashMap<String, Cost> = HashMap::new();
        for (&place, (count, symbol)) in &self.executed {
            let mut frames = self.objects[place.0].functions(place.1)?;
            if frames.is_empty() {
                frames.push(symbol.clone());
            }
            let atomic = self.kind(place) == Kind::Atomic;
            costs.entry(frames[0].clone()).or_default().own += count;
            frames.sort_unstable();
            frames.dedup();
            for function in frames {
                let cost = costs.entry(function).or_default();
                cost.inlined += count;
                cost.atomics += if atomic { *count } else { 0 };
            }
        }
        let mut costs: Vec<_> = costs.into_iter().collect();
        let key = |cost: &Cost| if inlined { cost.inlined } else { cost.own };
        costs.sort_unstable_by(|(a, of_a), (b, of_b)| key(of_b).cmp(&key(of_a)).then(a.cmp(b)));
        let mut text = format!("{:>27} {:>8} {:>8}\n", "own", "inlined", "atomics");
        costs.retain(|(function, _)| !function.starts_with(HARNESS));
        for (function, cost) in costs.into_iter().take(most) {
            let [inlined, own, atomics] =
                [cost.inlined, cost.own, cost.atomics].map(|count| self.per_operation(count));
            writeln!(text, "{own:>27.1} {inlined:>8.1} {atomics:>8.2}  {function}")?;
        }
        Ok(text)
    }
}
