//! The figures of the book have been measured, by programs that still do so.
//!
//! `book/measured/NAME.txt` holds the output of a `measure-*` program of a listing in release:
//! lines of `NAME VALUE UNIT`. A last line names the program, the machine, the compiler and the
//! day. `measured by PACKAGE PROGRAM on MACHINE` was measured by an emulator, and is left out where
//! there is none. Each figure is measured again. Figures differ from machine to machine, and from
//! minute to minute where others share the processor. So a time may be `TIME_FACTOR` times as long
//! or as short, and an amount of memory `SIZE_FACTOR` times as large or as small. Lines of code are
//! counted exactly. Names and units must be the same.
//!
//! Figures of other languages have names like `Go 1.19.8: ..`. They are measured again where that
//! version of that language is there, and left out where it isn't.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use exercises::machine::{Machine, Tools};
use exercises::solution::Profile;

use crate::complaints::{Complaints, Outcome, outcome};
use crate::listing::{Place, Program};
use crate::repo::Repo;

/// A factor. An order of magnitude is an error. Half a machine, taken by its neighbours, is not.
const TIME_FACTOR: f64 = 8.0;
/// A factor. Bytes are counted, and only another compiler or allocator changes them.
const SIZE_FACTOR: f64 = 1.5;

pub(super) fn check(repo: &Repo) -> Outcome {
    let files = repo.files("book/measured", "txt");
    let (mut complaints, mut figures, mut absent) = (Vec::new(), 0, String::new());
    let mut unused: Vec<Program> = Program::all(repo).into_iter().filter(Program::is_measurement).collect();
    for file in &files {
        let text = repo.read(file)?;
        let checked = source(repo, &text).and_then(|(source, recorded)| {
            unused.retain(|other| *other != source.program);
            match source.tools() {
                Ok(tools) => {
                    let (count, left_out) =
                        compare(recorded, &measure(repo, &source.program, tools.as_ref())?)?;
                    let left_out = left_out.iter().map(|it| format!("; SKIPPED {it}: it isn't here"));
                    absent.extend(left_out);
                    Ok(count)
                }
                Err(why) => {
                    absent += &format!("; SKIPPED {}: {why}", repo.name(file));
                    Ok(0)
                }
            }
        });
        match checked {
            Ok(count) => figures += count,
            Err(wrong) => complaints.push(format!("{}: {}", repo.name(file), wrong.join("; "))),
        }
    }
    complaints.extend(unused.iter().map(|it| format!("{} {}: recorded in no file", it.package, it.name)));
    outcome(complaints, || format!("{figures} figures, all of them measured by a listing{absent}"))
}

/// Measures anew: with `NAME PACKAGE PROGRAM [on MACHINE]` for a new file, with `NAME` for one that
/// is there, with nothing for all of them.
pub(super) fn record(repo: &Repo, which: &[&str]) -> Outcome {
    let folder = repo.path("book/measured");
    let mut written = Vec::new();
    if let [name, rest @ ..] = which
        && rest.len() > 1
    {
        write(repo, name, &Source::parse(repo, &rest.join(" "))?)?;
        written.push((*name).to_owned());
    } else {
        for file in repo.files("book/measured", "txt") {
            let name = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            if which.is_empty() || which.contains(&&*name) {
                let (source, _) = source(repo, &repo.read(&file)?)?;
                write(repo, &name, &source)?;
                written.push(name);
            }
        }
    }
    Ok(format!("measured in {}: {}", repo.name(&folder), written.join(", ")))
}

fn write(repo: &Repo, name: &str, source: &Source) -> Result<(), Complaints> {
    let tools = source.tools().map_err(|why| vec![why])?;
    let printed = measure(repo, &source.program, tools.as_ref())?;
    let Program { package, name: program } = &source.program;
    let machine = source.machine.map_or_else(String::new, |machine| format!(" on {}", machine.name));
    let circumstances = circumstances(repo, tools.as_ref())?;
    let text = format!("{printed}measured by {package} {program}{machine}, {circumstances}\n");
    repo.write(&repo.path(&format!("book/measured/{name}.txt")), text)
}

/// A program, and the machine that it runs on if that isn't this one.
struct Source {
    program: Program,
    machine: Option<&'static Machine>,
}

impl Source {
    fn parse(repo: &Repo, words: &str) -> Result<Self, Complaints> {
        let (program, machine) = words.split_once(" on ").unwrap_or((words, ""));
        let program = Program::named(repo, program)?;
        match Machine::named(machine) {
            None if !machine.is_empty() => Err(vec![format!("there is no machine `{machine}`")]),
            machine => Ok(Self { program, machine }),
        }
    }

    fn tools(&self) -> Result<Option<Tools>, String> {
        self.machine.map(Machine::tools).transpose()
    }
}

/// The program that the last line names, and the lines before that.
fn source<'a>(repo: &Repo, text: &'a str) -> Result<(Source, &'a str), Complaints> {
    let (recorded, last) = text.trim_end().rsplit_once('\n').unwrap_or_default();
    let program = last.strip_prefix("measured by ").and_then(|rest| rest.split(',').next());
    let program = program
        .ok_or_else(|| vec!["the last line doesn't say `measured by PACKAGE PROGRAM, ..`".to_owned()])?;
    Ok((Source::parse(repo, program)?, recorded))
}

fn measure(repo: &Repo, program: &Program, tools: Option<&Tools>) -> Result<String, Complaints> {
    let place = tools.map_or(Place::Here, Place::On);
    place.build(repo, std::slice::from_ref(program), Profile::Release)?;
    repo.output(&mut place.command(repo, program, Profile::Release))
}

/// The number of figures, if names and units are the same and the values are near each other; and
/// the languages whose figures only the recording has.
fn compare(recorded: &str, printed: &str) -> Result<(usize, BTreeSet<String>), Complaints> {
    let figures = |text: &str| text.lines().map(figure).collect::<Result<Vec<_>, _>>();
    let (mut recorded, mut printed) = (figures(recorded)?, figures(printed)?);
    let left_out = retain_common(&mut recorded, &printed);
    retain_common(&mut printed, &recorded);
    let near = recorded.iter().zip(&printed).all(|(recorded, printed)| recorded.is_near(printed));
    if recorded.len() != printed.len() || !near {
        return Err(vec![format!("recorded is {recorded:?}, and measured was {printed:?}")]);
    }
    Ok((recorded.len(), left_out))
}

/// Removes the figures of languages that `others` has no figures of. Gives these languages.
fn retain_common(figures: &mut Vec<Figure>, others: &[Figure]) -> BTreeSet<String> {
    let known: BTreeSet<_> = others.iter().filter_map(Figure::language).collect();
    let mut removed = BTreeSet::new();
    figures.retain(|figure| match figure.language() {
        Some(language) if !known.contains(language) => {
            removed.insert(language.to_owned());
            false
        }
        _ => true,
    });
    removed
}

/// A line `NAME VALUE UNIT`.
#[derive(Debug)]
struct Figure {
    name: String,
    value: f64,
    unit: String,
}

impl Figure {
    /// The language and its version, if it isn't ours.
    fn language(&self) -> Option<&str> {
        self.name.split_once(": ").map(|(language, _)| language)
    }

    fn is_near(&self, other: &Self) -> bool {
        let factor = match self.unit.split(' ').next() {
            Some("bytes") => SIZE_FACTOR,
            Some("lines") => 1.0,
            _ => TIME_FACTOR,
        };
        let ratio = self.value / other.value;
        self.name == other.name && self.unit == other.unit && (factor.recip()..=factor).contains(&ratio)
    }
}

fn figure(line: &str) -> Result<Figure, Complaints> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let value = |word: &&str| {
        word.replace([',', '_'], "").parse::<f64>().ok().filter(|it| it.is_finite() && *it > 0.0)
    };
    match words.iter().rposition(|word| value(word).is_some()) {
        Some(at) if at > 0 && at + 1 < words.len() => Ok(Figure {
            name: words[..at].join(" "),
            value: value(&words[at]).expect("it was one"),
            unit: words[at + 1..].join(" "),
        }),
        _ => Err(vec![format!("`{line}` is not `NAME VALUE UNIT`")]),
    }
}

/// The place and time: processor, system, compiler, date.
fn circumstances(repo: &Repo, tools: Option<&Tools>) -> Result<String, Complaints> {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let processor = processor.map_or("an unknown processor", |(_, name)| name.trim());
    let system = repo.output(Command::new("uname").args(["-s", "-r"]))?;
    // The rest of the line is the builder's.
    let system = system.split('-').next().unwrap_or_default();
    let compiler = match tools {
        Some(tools) => tools.rustc(),
        None => repo.output(Command::new("rustc").arg("--version"))?,
    };
    let compiler = compiler.split(" (").next().unwrap_or_default();
    let emulator = tools.map_or_else(String::new, |tools| format!("{}, ", tools.emulator()));
    let date = repo.output(Command::new("date").arg("+%Y-%m-%d"))?;
    Ok(format!("{emulator}{processor}, {}, {compiler}, {}", system.trim(), date.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        let switch = figure("switch 1.7 ns").unwrap();
        assert_eq!((&*switch.name, switch.value, &*switch.unit), ("switch", 1.7, "ns"));
        let spawn = figure("spawn of 10 threads 1_700 ns each").unwrap();
        assert_eq!((&*spawn.name, spawn.value), ("spawn of 10 threads", 1700.0));
        assert!(figure("switch ns").is_err());
        assert!(figure("switch 0 ns").is_err());
        assert!(figure("switch 12").is_err());
    }

    #[test]
    fn another_figure_is_found() {
        assert_eq!(compare("switch 1.7 ns\n", "switch 2.4 ns\n").unwrap().0, 1);
        assert!(compare("switch 8.0 ns\n", "switch 0.8 ns\n").is_err());
        assert!(compare("switch 0.8 ns\n", "switch 8.0 ns\n").is_err());
        assert!(compare("stack 4120 bytes\n", "stack 8220 bytes\n").is_err());
        assert!(compare("source 19 lines\n", "source 20 lines\n").is_err());
        assert!(compare("switch 1.7 ns\n", "switch 1.7 us\n").is_err());
        assert!(compare("switch 1.7 ns\n", "yield 1.7 ns\n").is_err());
        assert!(compare("switch 1.7 ns\n", "").is_err());
    }

    #[test]
    fn a_language_that_is_not_here_is_left_out() {
        let recorded = "ours 1 ms\nGo 1.19: the last 2 ms\nGo 1.19: each 3 KiB\nErlang 25: the last 4 ms\n";
        let (count, left_out) = compare(recorded, "ours 1 ms\nErlang 25: the last 5 ms\n").unwrap();
        assert_eq!((count, left_out.into_iter().collect::<Vec<_>>()), (2, vec!["Go 1.19".to_owned()]));
        let (count, left_out) =
            compare(recorded, "ours 1 ms\nGo 1.24: the last 2 ms\nErlang 25: the last 5 ms\n").unwrap();
        assert_eq!((count, left_out.len()), (2, 1));
        assert!(compare(recorded, "ours 1 ms\nErlang 25: the last 50 ms\n").is_err());
        assert!(compare(recorded, "ours 1 ms\nGo 1.19: each 3 KiB\n").is_err());
        assert!(compare(recorded, "Erlang 25: the last 5 ms\n").is_err());
    }

    #[test]
    fn a_file_that_names_no_program_is_found() {
        let files = [
            ("book/measured/a.txt", "x 1 ns\nmeasured by a measure-x, here\n"),
            ("book/measured/b.txt", "x 1 ns\n"),
        ];
        let complaints = check(&Repo::of_files(&files)).unwrap_err();
        assert!(complaints[0].contains("no listing has a program `a measure-x`"), "{complaints:?}");
        assert!(complaints[1].contains("`measured by PACKAGE PROGRAM, ..`"), "{complaints:?}");
    }
}
