//! The counts that new ones are compared with: `instructions.tsv`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::{fs, io};

use crate::count::Count;
use crate::measured;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../instructions.tsv");

const HEAD: &str = "\
# What one operation of each of our small works executes. Written by `instructions --bless`; compilers and C libraries
# differ, so bless on the machine that you compare on before you change something.
# work\tinstructions\tatomics\treturns\tkernel\tclock
";

pub struct Baseline(HashMap<String, Count>);

impl Baseline {
    /// Empty, if there is no file yet.
    pub fn read() -> Result<Self, String> {
        let text = match fs::read_to_string(FILE) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("{FILE}: {error}")),
        };
        let rows = text.lines().filter(|line| !line.starts_with('#'));
        let counts = rows.map(|line| row(line).ok_or_else(|| format!("{FILE}: not a row: {line:?}")));
        counts.collect::<Result<_, _>>().map(Self)
    }

    /// The difference in percent, or that there is no baseline.
    pub fn difference(&self, work: &str, count: Count) -> String {
        match self.0.get(work) {
            None => "new".to_owned(),
            Some(before) => format!("{:+.1}%", (count.instructions / before.instructions - 1.0) * 100.0),
        }
    }

    pub fn set(&mut self, work: &str, count: Count) {
        self.0.insert(work.to_owned(), count);
    }

    /// In the order of the works. Works that no longer exist are dropped.
    pub fn write(&self) -> io::Result<()> {
        let mut text = HEAD.to_owned();
        for work in measured::works() {
            if let Some(count) = self.0.get(work.name) {
                let Count { instructions, atomics, returns, kernel, clock } = count;
                let name = work.name;
                _ = write!(text, "{name}\t{instructions:.1}\t{atomics:.2}\t{returns:.2}");
                _ = writeln!(text, "\t{kernel:.2}\t{clock:.2}");
            }
        }
        fs::write(FILE, text)
    }
}

fn row(line: &str) -> Option<(String, Count)> {
    let mut fields = line.split('\t');
    let work = fields.next()?.to_owned();
    let mut number = || fields.next()?.parse().ok();
    let count = Count {
        instructions: number()?,
        atomics: number()?,
        returns: number()?,
        kernel: number()?,
        clock: number()?,
    };
    Some((work, count))
}
