//! The tables that a run ends with, in Markdown: one line for each measurement, then a summary,
//! then the targets.

use crate::results::Sample;
use crate::stats::{Group, groups, number, quantity};
use crate::verdict::{count, verdicts};
use crate::works::Row;

pub fn print(rows: &[Row], samples: &[Sample]) {
    let groups = groups(rows, samples);
    println!("\n| work | peer | median | min to max | CPU | ours ÷ peer | |");
    println!("|---|---|--:|--:|--:|--:|---|");
    groups.iter().for_each(print_group);
    println!("\n| work | ours | best peer | ours ÷ it |\n|---|--:|--:|--:|");
    for line in groups.iter().filter_map(summary) {
        println!("{line}");
    }
    let verdicts = verdicts(rows, samples);
    if !verdicts.is_empty() {
        println!("\n{}\n{}", targets(rows, samples), count(&verdicts));
    }
}

fn print_group(group: &Group) {
    for (i, series) in group.series.iter().enumerate() {
        let ratio = match group.ours() {
            Some(ours) if !series.is_ours() => number(ours.ratio_to(series)),
            _ => String::new(),
        };
        let disturbed = series.samples.iter().any(|sample| !sample.condition.is_quiet());
        println!(
            "| {} | {} | {} | {} to {} | {} | {ratio} | {}{} |",
            if i == 0 { group.title() } else { String::new() },
            series.peer,
            quantity(series.median(), group.unit()),
            quantity(series.least(), group.unit()),
            quantity(series.greatest(), group.unit()),
            number(series.cpu()),
            series.note(),
            if disturbed { " disturbed" } else { "" },
        );
    }
}

/// Our result beside the peer with the best median.
fn summary(group: &Group) -> Option<String> {
    let (ours, best) = (group.ours()?, group.best(&[])?);
    Some(format!(
        "| {} | {} | {}: {} | {} |",
        group.title(),
        quantity(ours.median(), group.unit()),
        best.peer,
        quantity(best.median(), group.unit()),
        number(ours.ratio_to(best)),
    ))
}

/// All targets and their verdicts.
pub fn targets(rows: &[Row], samples: &[Sample]) -> String {
    let mut text = "| work | ours | beside | ours ÷ it | target | |\n|---|--:|--:|--:|--:|---|\n".to_owned();
    for verdict in verdicts(rows, samples) {
        let met = match verdict.met {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "not measured",
        };
        let [title, ours, against, ratio, limit] =
            [verdict.title, verdict.ours, verdict.against, verdict.ratio, verdict.limit];
        text += &format!("| {title} | {ours} | {against} | {ratio} | {limit} | {met} |\n");
    }
    text
}
