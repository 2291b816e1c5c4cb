//! The report: `RESULTS.md`, its plots, and the measurements beside them.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::line::FAILED;
use crate::quiet::SHARED;
use crate::results::{Results, Sample};
use crate::stats::{Group, groups, median, number, quantity, unique};
use crate::works::Row;
use crate::{plot, table, verdict};

/// Writes all into a folder.
pub fn write(from: &Path, to: &Path, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let results = Results::read(from, rows)?;
    if !results.unknown.is_empty() {
        println!("left out, since the list has no such work: {}", results.unknown.join(", "));
    }
    let floors = fs::read_to_string(to.join("floors.md")).ok();
    let (text, plots) = report(rows, &results, floors.as_deref());
    let folder = to.join("plots");
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "svg") {
            fs::remove_file(path)?; // one of a work that is no more
        }
    }
    for (name, svg) in &plots {
        fs::write(folder.join(name), svg)?;
    }
    fs::write(to.join("RESULTS.md"), text)?;
    // All is read before it is written: it may be the same file.
    fs::write(to.join("results.tsv"), fs::read(from)?)?;
    println!("{}, with {} plots", to.join("RESULTS.md").display(), plots.len());
    Ok(())
}

/// The text, and the plots by name.
fn report(rows: &[Row], results: &Results, floors: Option<&str>) -> (String, Vec<(String, String)>) {
    let groups = groups(rows, &results.samples);
    let mut text = "# The library beside its peers: results\n\n".to_owned();
    let verdicts = verdict::verdicts(rows, &results.samples);
    if !verdicts.is_empty() {
        text += &verdict::count(&verdicts);
        text += " *ours* and *beside* are medians. Where no peer is named, it is the best one of this run; its ratio is that of each \
                 repeat, of which the median is shown. [`README.md`](README.md) says what the works are, and how all this is measured.\n\n";
        text += &table::targets(rows, &results.samples);
        text.push('\n');
    }
    if let Some(floors) = floors {
        text += floors.trim_end();
        text += "\n\n";
    }
    let mut plots = Vec::new();
    let mut show = |text: &mut String, name: String, alt: &str, svg| {
        _ = writeln!(text, "![{alt}](plots/{name})\n");
        plots.push((name, svg));
    };
    text += "## At a glance\n\n";
    show(
        &mut text,
        "ratios.svg".to_owned(),
        "How the peers compare with us, in each work",
        plot::ratios(&groups),
    );
    if groups.iter().any(|group| group.row.work == "parked") {
        let alt = "Memory and time for each parked thread, by how many there are";
        show(&mut text, "threads.svg".to_owned(), alt, plot::threads(&groups));
    }
    for group in &groups {
        if let Some(svg) = plot::latency(group) {
            let Row { work, workers, threads, n, .. } = group.row;
            let name = format!("latency-{work}-{workers}-{threads}-{n}.svg");
            show(&mut text, name, &format!("{}, from the best to the worst", group.title()), svg);
        }
    }
    text += &runs(rows, results);
    text += "## Every work\n\n\
        Medians, with the least and the greatest of all repeats; behind them *÷*, ours divided by theirs. *CPU* is the processor time \
        of an operation in the measured part, the whole process counted. Of the process from birth to end: *CPU s*, processor time; \
        *switches*, context switches because it had nothing to do + because its time was up; *MiB*, its memory at most; *others*, the \
        share of a processor that other programs had meanwhile, at most; *pace*, how many times as long as at its best the slower \
        processor took for a fixed piece of work before or after.\n\n";
    for (number, row) in rows.iter().enumerate() {
        text += &work(number, row, &results.samples, &groups);
    }
    (text, plots)
}

/// The date, the machine, and the versions.
fn runs(rows: &[Row], results: &Results) -> String {
    let mut text = "## Machine, versions, command\n\n".to_owned();
    let used = unique(results.samples.iter().map(|sample| sample.run));
    for run in &used {
        text += "| | |\n|---|---|\n";
        for (key, value) in &results.runs[*run] {
            let value = if key == "command" { format!("`{value}`") } else { value.clone() };
            _ = writeln!(text, "| {key} | {value} |");
        }
        if used.len() > 1 {
            let of_run = results.samples.iter().filter(|sample| sample.run == *run);
            let titles = unique(of_run.map(|sample| rows[sample.row].title()));
            _ = writeln!(text, "| works | {} |", titles.join("; "));
        }
        text.push('\n');
    }
    let all = results.samples.len();
    let disturbed = results.samples.iter().filter(|sample| !sample.condition.is_quiet()).count();
    if disturbed > 0 {
        _ = writeln!(
            text,
            "Of {all} figures {disturbed} were taken while other programs had more than a tenth of a processor, or the processors took more \
            than {SHARED} times as long as at their best: *others* and *pace* show which.\n"
        );
    }
    text
}

/// A table with a line for each peer.
fn work(number: usize, row: &Row, samples: &[Sample], groups: &[Group]) -> String {
    let samples: Vec<_> = samples.iter().filter(|sample| sample.row == number).collect();
    let groups: Vec<_> = groups.iter().filter(|group| std::ptr::eq(group.row, row)).collect();
    if samples.is_empty() {
        return String::new();
    }
    let mut text = format!("### {}\n\n| |", row.title());
    let mut rule = "|---|".to_owned();
    for group in &groups {
        text += &format!(" {} | ÷ |", group.metric);
        rule += "--:|--:|";
        if group.metric == "time" {
            text += " CPU |";
            rule += "--:|";
        }
    }
    _ = writeln!(text, " CPU s | switches | MiB | others | pace | |\n{rule}--:|--:|--:|--:|--:|---|");
    for peer in &row.peers {
        let of_peer: Vec<_> = samples.iter().copied().filter(|sample| sample.peer == *peer).collect();
        if !of_peer.is_empty() {
            text += &line(peer, &of_peer, &groups);
        }
    }
    text.push('\n');
    text
}

fn line(peer: &str, samples: &[&Sample], groups: &[&Group]) -> String {
    let mut text = format!("| {peer} |");
    let mut notes = Vec::new();
    for group in groups {
        let series = group.series.iter().find(|series| series.peer == peer);
        let Some(series) = series else {
            text += if group.metric == "time" { " | | |" } else { " | |" };
            continue;
        };
        let tell = |value| quantity(value, group.unit());
        _ = write!(text, " {}", tell(series.median()));
        if series.samples.len() > 1 {
            _ = write!(text, " ({} to {})", tell(series.least()), tell(series.greatest()));
        }
        let ratio = group.ours().filter(|ours| ours.peer != peer).map(|ours| number(ours.ratio_to(series)));
        _ = write!(text, " | {} |", ratio.unwrap_or_default());
        if group.metric == "time" {
            _ = write!(text, " {} |", quantity(series.cpu(), "ns"));
        }
        notes.push(series.note().trim().to_owned());
    }
    let (failed, ok): (Vec<_>, Vec<_>) =
        samples.iter().copied().partition(|sample: &&Sample| sample.line.metric == FAILED);
    let of_process = |value: fn(&Sample) -> f64| median(ok.iter().map(|sample| value(sample)));
    if ok.is_empty() {
        text += " | | | | |";
    } else {
        let cpu = of_process(|sample| sample.usage.cpu.as_secs_f64());
        let voluntary = of_process(|sample| sample.usage.voluntary as f64);
        let involuntary = of_process(|sample| sample.usage.involuntary as f64);
        let memory = of_process(|sample| sample.usage.max_rss as f64 / 1024.0);
        let others = ok.iter().map(|sample| sample.condition.others).fold(0.0, f64::max);
        let pace = of_process(|sample| sample.condition.pace);
        _ = write!(
            text,
            " {cpu:.2} | {voluntary:.0} + {involuntary:.0} | {} | {:.0}% | {pace:.2} |",
            number(memory),
            100.0 * others
        );
    }
    if let Some(sample) = failed.first() {
        let note = sample.line.note.replace('|', "/");
        let repeats = unique(samples.iter().map(|sample| sample.repeat)).len();
        notes.push(format!("**failed** in {} of {repeats}: {note}", failed.len()));
    }
    notes.retain(|note| !note.is_empty());
    _ = writeln!(text, " {} |", notes.join("; "));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{file, rows};

    fn of(file: &str) -> (String, Vec<(String, String)>) {
        let rows = rows();
        report(&rows, &Results::parse(file, &rows).unwrap(), Some("## Floors\n\nA page fault.\n"))
    }

    #[test]
    fn a_report_has_all_that_was_measured() {
        let (text, plots) = of(&file());
        let parts = [
            "4 of 6 targets are met (2 more were not measured).",
            "| yield, 2 threads, 1w | 30.0 ns | may: 60.0 ns | 0.50 | ≤ 0.15 | **missed** |",
            "## Floors\n\nA page fault.",
            "![How the peers compare with us, in each work](plots/ratios.svg)",
            "(plots/latency-timers-1-10-1.svg)",
            "| machine | two of them |",
            "### yield, 2 threads, 1w",
            "| greenthread | 30.0 ns (10.0 ns to 40.0 ns) |  | 7.00 ns | 0.50 | 200 + 7 | 2.00 | 1% | 1.02 | the third |",
            "| go | 100 ns (100 ns to 200 ns) | 0.20 | 70.0 ns |",
            "| may | | | | | | | | **failed** in 1 of 1: signal: 11 |",
            "| greenthread | 200 ns |  | 4,500 bytes |  | 0.50 |",
        ];
        let mut rest = &*text;
        for part in parts {
            rest = rest.split_once(part).unwrap_or_else(|| panic!("{part:?} is missing in\n{rest}")).1;
        }
        assert!(!text.contains("figures"), "nothing was disturbed:\n{text}");
        let names: Vec<_> = plots.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["ratios.svg", "threads.svg", "latency-timers-1-10-1.svg"]);
        for (name, svg) in &plots {
            assert!(
                svg.starts_with("<svg") && !svg.contains("NaN") && !svg.contains("inf"),
                "{name}:\n{svg}"
            );
        }
    }

    #[test]
    fn what_was_disturbed_is_told() {
        let (text, _) = of(&file().replace("\t0.01\t1.02\tthe third", "\t0.25\t1.02\tthe third"));
        assert!(text.contains("Of 24 figures 1 were taken while"), "{text}");
        assert!(text.contains("| 2.00 | 25% | 1.02 | the third |"), "{text}");
    }

    #[test]
    fn it_is_written_with_its_plots() {
        let folder = std::env::temp_dir().join(format!("greenthread-bench-report-{}", std::process::id()));
        fs::create_dir_all(folder.join("plots")).unwrap();
        fs::write(folder.join("plots/old.svg"), "").unwrap();
        fs::write(folder.join("last.tsv"), file()).unwrap();
        write(&folder.join("last.tsv"), &folder, &rows()).unwrap();
        assert!(fs::read_to_string(folder.join("RESULTS.md")).unwrap().contains("## Every work"));
        assert_eq!(fs::read_to_string(folder.join("results.tsv")).unwrap(), file());
        assert!(folder.join("plots/ratios.svg").exists() && !folder.join("plots/old.svg").exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
