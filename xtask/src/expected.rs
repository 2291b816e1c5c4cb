//! The output that a chapter shows of a program.
//!
//! `expected/PROGRAM.txt` is the whole output, where `{*}` stands for any text in a line. It may be
//! followed by `-- ends: signal 11`, if the program doesn't end with status 0, and by lines
//! `-- stderr has: TEXT`. A program that differs by profile has `PROGRAM.debug.txt` and
//! `PROGRAM.release.txt`; one that differs on another machine has `PROGRAM.MACHINE.txt`.

use exercises::child::{End, Run};

use crate::complaints::Complaints;

/// An expected output.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    lines: Vec<&'a str>,
    ends: &'a str,
    stderr_has: Vec<&'a str>,
}

impl<'a> Expected<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        let mut this = Self { lines: Vec::new(), ends: "status 0", stderr_has: Vec::new() };
        for line in text.lines() {
            if let Some(ends) = line.strip_prefix("-- ends: ") {
                this.ends = ends.trim();
            } else if let Some(text) = line.strip_prefix("-- stderr has: ") {
                this.stderr_has.push(text);
            } else {
                this.lines.push(line);
            }
        }
        this
    }

    pub(crate) fn compare(&self, run: &Run) -> Result<(), Complaints> {
        let mut complaints = Vec::new();
        if run.end.to_string() != self.ends {
            complaints.push(format!("it should end with {}, and has ended with {}", self.ends, run.end));
        }
        let printed: Vec<&str> = run.stdout.lines().collect();
        for index in 0..self.lines.len().max(printed.len()) {
            let wrong = match (self.lines.get(index), printed.get(index)) {
                (Some(pattern), Some(line)) if fits(pattern, line) => continue,
                (Some(pattern), Some(line)) => format!("should be `{pattern}`, and is `{line}`"),
                (Some(pattern), None) => format!("should be `{pattern}`, and the output has ended"),
                (None, Some(line)) => format!("should not be there: `{line}`"),
                (None, None) => unreachable!("one of them has this line"),
            };
            complaints.push(format!("line {} {wrong}", index + 1));
            break;
        }
        for text in &self.stderr_has {
            if !run.stderr.contains(text) {
                complaints.push(format!("the errors should have `{text}`"));
            }
        }
        if complaints.is_empty() { Ok(()) } else { Err(complaints) }
    }

    /// The present output, with the patterns that still fit.
    pub(crate) fn renewed(&self, run: &Run) -> String {
        let mut text = String::new();
        for (index, line) in run.stdout.lines().enumerate() {
            let pattern = self.lines.get(index).filter(|pattern| fits(pattern, line));
            text += pattern.unwrap_or(&line);
            text.push('\n');
        }
        if run.end != End::Status(0) {
            text += &format!("-- ends: {}\n", run.end);
        }
        for has in self.stderr_has.iter().filter(|has| run.stderr.contains(**has)) {
            text += &format!("-- stderr has: {has}\n");
        }
        text
    }
}

/// Whether the line matches the pattern, in which `{*}` is any text.
fn fits(pattern: &str, line: &str) -> bool {
    let Some((before, mut rest)) = pattern.split_once("{*}") else {
        return pattern == line;
    };
    let Some(mut line) = line.strip_prefix(before) else {
        return false;
    };
    // The first place that fits leaves the most text for the other parts.
    while let Some((between, after)) = rest.split_once("{*}") {
        let Some(at) = line.find(between) else {
            return false;
        };
        line = &line[at + between.len()..];
        rest = after;
    }
    line.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_of(stdout: &str, stderr: &str, end: End) -> Run {
        Run { stdout: stdout.to_owned(), stderr: stderr.to_owned(), end }
    }

    fn complaints_of(expected: &str, run: &Run) -> Complaints {
        Expected::parse(expected).compare(run).err().unwrap_or_default()
    }

    #[test]
    fn patterns() {
        assert!(fits("at {*}, {*} bytes", "at 0x7f, 12 bytes"));
        assert!(fits("{*}", ""));
        assert!(fits("a{*}b", "abb"));
        assert!(!fits("a{*}a", "a"));
        assert!(!fits("at {*} bytes", "at 12 bits"));
        assert!(!fits("at", "at 1"));
    }

    #[test]
    fn an_output_that_is_not_the_one_shown_is_found() {
        let fine = run_of("one\n2 ns\n", "", End::Status(0));
        assert_eq!(complaints_of("one\n{*} ns\n", &fine), Complaints::new());
        assert_eq!(complaints_of("one\n{*} us\n", &fine), ["line 2 should be `{*} us`, and is `2 ns`"]);
        assert_eq!(complaints_of("one\n", &fine), ["line 2 should not be there: `2 ns`"]);
        assert_eq!(
            complaints_of("one\n2 ns\n3\n", &fine),
            ["line 3 should be `3`, and the output has ended"]
        );
    }

    #[test]
    fn a_crash_that_does_not_come_is_found() {
        let expected = "one\n-- ends: signal 11\n-- stderr has: overflow\n";
        assert_eq!(
            complaints_of(expected, &run_of("one\n", "an overflow!", End::Signal(11))),
            Complaints::new()
        );
        assert_eq!(complaints_of(expected, &run_of("one\n", "an overflow!", End::Status(0))).len(), 1);
        assert_eq!(complaints_of(expected, &run_of("one\n", "", End::Signal(11))).len(), 1);
        assert_eq!(complaints_of("one\n", &run_of("one\n", "", End::Signal(6))).len(), 1);
        assert_eq!(complaints_of("one\n", &run_of("one\n", "", End::OutOfTime)).len(), 1);
    }

    #[test]
    fn what_is_recorded_keeps_its_patterns() {
        let old = Expected::parse(
            "at {*}\ntwo\n-- ends: signal 11\n-- stderr has: overflow\n-- stderr has: gone\n",
        );
        let new = old.renewed(&run_of("at 0x7f\nthree\n", "overflow", End::Signal(6)));
        assert_eq!(new, "at {*}\nthree\n-- ends: signal 6\n-- stderr has: overflow\n");
    }
}
