//! Every single measurement, as a table in a file. It is written as measurements come, and read for
//! the report.
//!
//! A file holds one run or several. Each run begins with facts, lines `# KEY<tab>VALUE` of which
//! the first is the date. Measurements follow.

use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crate::line::Line;
use crate::process::Usage;
use crate::quiet::Condition;
use crate::works::Row;

const DATE: &str = "date";

const COLUMNS: &str = "work\tworkers\tthreads\tn\tpeer\trepeat\tmetric\tvalue\tunit\tcpu_ns\t\
    process_cpu_s\tvoluntary\tinvoluntary\tmax_rss_kib\tothers\tpace\tnote\tdistribution";

/// One line that a peer has printed, or a measurement by the runner itself.
#[derive(Debug)]
pub struct Sample {
    /// The number of its run.
    pub run: usize,
    /// The number of its work in the list.
    pub row: usize,
    pub peer: String,
    pub repeat: usize,
    pub line: Line,
    /// Of the whole process.
    pub usage: Usage,
    pub condition: Condition,
}

/// The facts of a run: the date, the machine, the versions.
pub type Facts = Vec<(String, String)>;

/// All that a file holds.
#[derive(Debug, Default)]
pub struct Results {
    pub runs: Vec<Facts>,
    pub samples: Vec<Sample>,
    /// Works that the list no longer has.
    pub unknown: Vec<String>,
}

impl Results {
    pub fn read(path: &Path, rows: &[Row]) -> Result<Results, Box<dyn Error>> {
        Ok(load(path, rows)?.1)
    }

    pub fn parse(text: &str, rows: &[Row]) -> Result<Results, String> {
        let mut results = Results::default();
        for (index, line) in text.lines().enumerate() {
            if let Some((key, value)) = line.strip_prefix("# ").and_then(|line| line.split_once('\t')) {
                if key == DATE {
                    results.runs.push(Facts::new());
                }
                let facts = results.runs.last_mut().ok_or("a run begins with its date")?;
                facts.push((key.to_owned(), value.to_owned()));
            } else if line.starts_with("work\t") && line != COLUMNS {
                return Err(format!(
                    "line {}: other columns; it is of another version of this program",
                    index + 1
                ));
            } else if line != COLUMNS {
                let run = results.runs.len().checked_sub(1).ok_or("a run begins with its date")?;
                match sample(line, run, rows).ok_or_else(|| format!("line {} isn't one", index + 1))? {
                    Some(sample) => results.samples.push(sample),
                    None => results.unknown.push(key(line).join(" ")),
                }
            }
        }
        results.unknown.dedup();
        Ok(results)
    }
}

/// The file's text, and its contents.
fn load(path: &Path, rows: &[Row]) -> Result<(String, Results), Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let results = Results::parse(&text, rows).map_err(|wrong| format!("{}: {wrong}", path.display()))?;
    Ok((text, results))
}

/// Work, workers, threads and N of a line.
fn key(line: &str) -> [&str; 4] {
    let mut fields = line.split('\t');
    [(); 4].map(|()| fields.next().unwrap_or_default())
}

fn is_of(line: &str, row: &Row) -> bool {
    let counts = [row.workers, row.threads, row.n].map(|count| count.to_string());
    key(line) == [&row.work, &counts[0], &counts[1], &counts[2]]
}

/// `None` if it isn't a sample. `Some(None)` if it is one of a work that is not in the list.
fn sample(line: &str, run: usize, rows: &[Row]) -> Option<Option<Sample>> {
    let mut fields = line.split('\t').skip(4);
    let mut next = || fields.next();
    let (peer, repeat) = (next()?.to_owned(), next()?.parse().ok()?);
    let (metric, value, unit) = (next()?.to_owned(), next()?.parse().ok()?, next()?.to_owned());
    let cpu = next()?.parse().ok()?;
    let usage = Usage {
        cpu: Duration::try_from_secs_f64(next()?.parse().ok()?).ok()?,
        voluntary: next()?.parse().ok()?,
        involuntary: next()?.parse().ok()?,
        max_rss: next()?.parse().ok()?,
    };
    let condition = Condition { others: next()?.parse().ok()?, pace: next()?.parse().ok()? };
    let line_of_peer =
        Line { metric, value, unit, cpu, note: next()?.to_owned(), distribution: next()?.to_owned() };
    let row = rows.iter().position(|row| is_of(line, row));
    Some(row.map(|row| Sample { run, row, peer, repeat, line: line_of_peer, usage, condition }))
}

/// A file that is being written.
#[derive(Debug)]
pub struct Writer(File);

impl Writer {
    /// Begins a run. With `keep`, samples of other works stay in the file.
    pub fn create(path: &Path, keep: bool, rows: &[Row]) -> Result<Writer, Box<dyn Error>> {
        let old = if keep { load(path, rows)?.0 } else { String::new() };
        let mut file = File::create(path)?;
        for line in old.lines().filter(|line| !rows.iter().any(|row| is_of(line, row))) {
            writeln!(file, "{line}")?;
        }
        Ok(Writer(file))
    }

    /// The facts that are known beforehand.
    pub fn begin(&mut self, date: &str, facts: &Facts) -> io::Result<()> {
        self.fact(DATE, date)?;
        for (key, value) in facts {
            self.fact(key, value)?;
        }
        writeln!(self.0, "{COLUMNS}")
    }

    pub fn fact(&mut self, key: &str, value: &str) -> io::Result<()> {
        writeln!(self.0, "# {key}\t{value}")
    }

    pub fn sample(&mut self, row: &Row, sample: &Sample) -> io::Result<()> {
        let Row { work, workers, threads, n, .. } = row;
        let Sample { peer, repeat, line, usage, condition, .. } = sample;
        let Line { metric, value, unit, cpu, note, distribution } = line;
        let Usage { cpu: process_cpu, voluntary, involuntary, max_rss } = usage;
        let process_cpu = process_cpu.as_secs_f64();
        write!(self.0, "{work}\t{workers}\t{threads}\t{n}\t{peer}\t{repeat}\t{metric}\t{value}\t{unit}\t")?;
        write!(self.0, "{cpu}\t{process_cpu:.3}\t{voluntary}\t{involuntary}\t{max_rss}\t")?;
        let Condition { others, pace } = condition;
        writeln!(self.0, "{others:.3}\t{pace:.3}\t{note}\t{distribution}")
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::line::FAILED;
    use crate::works;

    const WORKS: &str = "\
        # work\tworkers\tthreads\tn\tpeers\ttargets\n\
        yield\t1\t2\t5\tgreenthread go may\ttime<=0.15, cpu/go<=0.5\n\
        http\t1\t64\t1\tgreenthread go may\trate>=1.0\n\
        timers\t1\t10\t1\tgreenthread go may\tlate p50<=60ns, cpu<=0.5\n\
        parked\t1\t1000\t1\tgreenthread go may\n\
        parked\t1\t1000000\t1\tgreenthread go may\tmemory<=4608B, start/smol<=1, start@1000<=1.5\n";

    pub fn rows() -> Vec<Row> {
        works::parse(WORKS)
    }

    /// The samples of a peer in each repeat: the work's name, threads, N, peer, metric, unit, CPU,
    /// values and notes.
    pub fn file() -> String {
        let mut text = "# date\t2026-11-25 01:00 UTC\n# machine\ttwo of them\n".to_owned();
        text += &format!("{COLUMNS}\n");
        let mut add =
            |work: &str, peer: &str, metric: &str, unit: &str, cpu: &str, values: &[(f64, &str)]| {
                for (repeat, (value, note)) in values.iter().enumerate() {
                    let usage = format!("0.5\t{}\t7\t2048\t0.01\t1.02", 100 * (repeat + 1));
                    text += &format!(
                        "{work}\t{peer}\t{repeat}\t{metric}\t{value}\t{unit}\t{cpu}\t{usage}\t{note}\n"
                    );
                }
            };
        add(
            "yield\t1\t2\t5",
            "greenthread",
            "time",
            "ns",
            "7",
            &[(10.0, "\t"), (40.0, "\t"), (30.0, "the third\t")],
        );
        add("yield\t1\t2\t5", "go", "time", "ns", "70", &[(100.0, "\t"), (200.0, "\t"), (100.0, "\t")]);
        add("yield\t1\t2\t5", "may", "time", "ns", "9", &[(60.0, "\t"), (60.0, "\t"), (60.0, "\t")]);
        add("http\t1\t64\t1", "greenthread", "rate", "per s", "7", &[(1000.0, "\t")]);
        add("http\t1\t64\t1", "go", "rate", "per s", "7", &[(900.0, "\t")]);
        add("http\t1\t64\t1", "may", FAILED, "", "0", &[(0.0, "signal: 11\t")]);
        let late = [(60.0, "\t50:60 99:800"), (50.0, "\t50:50 99:900"), (70.0, "\t50:70 99:1000")];
        add("timers\t1\t10\t1", "greenthread", "late p50", "ns", "3", &late);
        add("timers\t1\t10\t1", "go", "late p50", "ns", "4", &late);
        for (threads, start) in [("1000", 100.0), ("1000000", 200.0)] {
            let work = format!("parked\t1\t{threads}\t1");
            add(&work, "greenthread", "start", "ns", "3", &[(start, "\t")]);
            add(&work, "greenthread", "memory", "bytes", "0", &[(4500.0, "\t")]);
            add(&work, "go", "start", "ns", "3", &[(start, "\t")]);
        }
        text
    }

    pub fn samples() -> Vec<Sample> {
        Results::parse(&file(), &rows()).unwrap().samples
    }

    #[test]
    fn what_is_written_is_read() {
        let path = std::env::temp_dir().join(format!("greenthread-bench-{}.tsv", std::process::id()));
        let rows = rows();
        let written = samples();
        let mut writer = Writer::create(&path, false, &rows).unwrap();
        writer.begin("today", &vec![("machine".to_owned(), "here".to_owned())]).unwrap();
        for sample in &written {
            writer.sample(&rows[sample.row], sample).unwrap();
        }
        writer.fact("took", "a second").unwrap();
        let read = Results::read(&path, &rows).unwrap();
        assert_eq!(format!("{:?}", read.samples), format!("{written:?}"));
        let facts = [("date", "today"), ("machine", "here"), ("took", "a second")];
        assert_eq!(read.runs, [facts.map(|(key, value)| (key.to_owned(), value.to_owned()))]);

        // A second run replaces the samples of the works that it measures, and no others.
        Writer::create(&path, true, &rows[..1]).unwrap().begin("tomorrow", &Facts::new()).unwrap();
        let kept = Results::read(&path, &rows).unwrap();
        assert_eq!(kept.runs.len(), 2);
        assert!(kept.samples.iter().all(|sample| sample.row != 0));
        assert_eq!(kept.samples.len(), written.iter().filter(|sample| sample.row != 0).count());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_is_none_is_refused() {
        assert!(Results::parse("yield\t1\t2\n", &rows()).is_err());
        let broken = file().replace("\t0.5\t", "\tmuch\t");
        assert_eq!(Results::parse(&broken, &rows()).unwrap_err(), "line 4 isn't one");
        let older = Results::parse(&file().replace("\tpace\t", "\t"), &rows()).unwrap_err();
        assert!(older.contains("line 3: other columns"), "{older}");
        let of_others = file().replace("http\t", "other\t");
        assert_eq!(Results::parse(&of_others, &rows()).unwrap().unknown, ["other 1 64 1"]);
    }
}
