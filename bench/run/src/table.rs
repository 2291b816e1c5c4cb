//! The tables, in Markdown: one line for each measurement, and a summary.

use crate::Sample;
use crate::works::Row;

/// All samples of one peer in one metric of one row.
struct Cell<'a> {
    peer: &'a str,
    samples: Vec<&'a Sample>,
    sorted: Vec<f64>,
}

impl Cell<'_> {
    fn median(&self) -> f64 {
        median(self.sorted.clone())
    }

    /// The note of the measurement in the middle.
    fn note(&self) -> &str {
        let middle = self.sorted[self.sorted.len() / 2];
        self.samples.iter().find(|s| s.line.value == middle).map_or("", |s| s.line.note.trim())
    }

    /// Ours divided by this peer, in each repeat; the median of that, as the machine drifts between repeats.
    fn ratio(&self, ours: &Cell) -> f64 {
        let other = |ours: &Sample| self.samples.iter().find(|theirs| theirs.repeat == ours.repeat);
        median(
            ours.samples.iter().filter_map(|ours| Some(ours.line.value / other(ours)?.line.value)).collect(),
        )
    }
}

pub fn print(rows: &[Row], samples: &[Sample]) {
    let mut summary = Vec::new();
    println!("\n| work | peer | median | min to max | CPU | ours ÷ peer | |");
    println!("|---|---|--:|--:|--:|--:|---|");
    for (number, row) in rows.iter().enumerate() {
        let of_row: Vec<_> = samples.iter().filter(|s| s.row == number).collect();
        for metric in unique(of_row.iter().map(|s| s.line.metric.as_str())) {
            let of_metric: Vec<_> = of_row.iter().copied().filter(|s| s.line.metric == metric).collect();
            let peers = unique(of_metric.iter().map(|s| s.peer.as_str()));
            let cells: Vec<_> = peers.into_iter().map(|peer| cell(peer, &of_metric)).collect();
            let title = match metric {
                "time" => row.title(),
                metric => format!("{}: {metric}", row.title()),
            };
            print_cells(&title, &cells);
            summary.extend(summarise(&title, &cells, &row.targets));
        }
    }
    println!("\n| work | ours | best peer | ours ÷ it | targets |\n|---|--:|--:|--:|---|");
    for line in summary {
        println!("{line}");
    }
}

fn cell<'a>(peer: &'a str, samples: &[&'a Sample]) -> Cell<'a> {
    let samples: Vec<_> = samples.iter().copied().filter(|s| s.peer == peer).collect();
    let mut sorted: Vec<_> = samples.iter().map(|s| s.line.value).collect();
    sorted.sort_by(f64::total_cmp);
    Cell { peer, samples, sorted }
}

fn ours<'a, 'b>(cells: &'a [Cell<'b>]) -> Option<&'a Cell<'b>> {
    cells.iter().find(|cell| cell.peer.starts_with("greenthread"))
}

fn print_cells(title: &str, cells: &[Cell]) {
    for (i, cell) in cells.iter().enumerate() {
        let (min, max) = (cell.sorted[0], cell.sorted[cell.sorted.len() - 1]);
        let ratio = match ours(cells) {
            Some(ours) if ours.peer != cell.peer => number(cell.ratio(ours)),
            _ => String::new(),
        };
        println!(
            "| {} | {} | {} {} | {} to {} | {} | {ratio} | {} |",
            if i == 0 { title } else { "" },
            cell.peer,
            number(cell.median()),
            cell.samples[0].line.unit,
            number(min),
            number(max),
            number(median(cell.samples.iter().map(|s| s.line.cpu).collect())),
            cell.note(),
        );
    }
}

/// Ours beside the peer with the best median. Less is better, but not of what is counted per second.
fn summarise(title: &str, cells: &[Cell], targets: &str) -> Option<String> {
    let ours = ours(cells)?;
    let more_is_better = ours.samples[0].line.unit == "per s";
    let worse = |cell: &&Cell| if more_is_better { -cell.median() } else { cell.median() };
    let peers = cells.iter().filter(|cell| cell.peer != ours.peer);
    let best = peers.min_by(|a, b| worse(a).total_cmp(&worse(b)))?;
    Some(format!(
        "| {title} | {} {} | {} {} | {} | {targets} |",
        number(ours.median()),
        ours.samples[0].line.unit,
        best.peer,
        number(best.median()),
        number(best.ratio(ours)),
    ))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => values[len / 2],
        len => (values[len / 2 - 1] + values[len / 2]) / 2.0,
    }
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        v if v == 0.0 || v.is_nan() => "–".to_owned(),
        v if v < 10.0 => format!("{value:.2}"),
        v if v < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn unique<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for value in values {
        if !value.is_empty() && !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}
