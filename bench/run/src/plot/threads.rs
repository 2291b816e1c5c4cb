//! The cost of a thread, by the number of threads.

use super::curves::{Panel, class};
use super::scale::Log;
use super::svg::Svg;
use crate::stats::{Group, quantity, unique};

const WIDTH: f64 = 850.0;

/// A panel for each metric of `parked`.
pub fn threads(groups: &[Group]) -> String {
    let parked: Vec<_> = groups.iter().filter(|group| group.row.work == "parked").collect();
    let metrics = unique(parked.iter().map(|group| group.metric));
    let counts = unique(parked.iter().map(|group| group.row.threads));
    let peers = unique(parked.iter().flat_map(|group| group.series.iter().map(|series| series.peer)));
    let mut svg = Svg::new("What a parked thread costs, by how many there are", WIDTH);
    let top = 40.0 + svg.legend(&peers, 0.0, 42.0, WIDTH) + 30.0;
    let bottom = top + 250.0;
    let width = WIDTH / metrics.len().max(1) as f64;
    for (number, metric) in metrics.iter().enumerate() {
        let of_metric: Vec<_> = parked.iter().filter(|group| group.metric == *metric).collect();
        let unit = of_metric.first().map_or("", |group| group.unit());
        let left = width * number as f64 + 62.0;
        let right = width * (number + 1) as f64 - 26.0;
        let title = format!("{metric}, each");
        let panel = Panel { left, right, top, bottom, title: &title };
        let medians = of_metric.iter().flat_map(|group| group.series.iter().map(|series| series.median()));
        let y = Log::decades(medians, bottom, top);
        let x = Log::around(counts.iter().map(|count| *count as f64), left, right);
        let columns: Vec<_> = counts.iter().map(|count| (x.at(*count as f64), short(*count))).collect();
        panel.draw(&mut svg, &columns, &y, |value| round(value, unit));
        // Ours comes last, so that it lies above the others.
        for peer in peers.iter().rev() {
            let point = |group: &&&Group| {
                let series = group.series.iter().find(|series| series.peer == *peer)?;
                Some((x.at(group.row.threads as f64), y.at(series.median())))
            };
            let points: Vec<_> = of_metric.iter().filter_map(point).collect();
            svg.curve(&points, &class(peer));
            points.iter().for_each(|(x, y)| svg.mark(*x, *y, peer));
        }
    }
    svg.text(WIDTH / 2.0, bottom + 36.0, "soft middle", "threads");
    svg.finish()
}

fn short(count: usize) -> String {
    match count {
        1_000_000.. => format!("{}M", count / 1_000_000),
        1000.. => format!("{}k", count / 1000),
        _ => count.to_string(),
    }
}

/// A power of ten with its unit.
pub fn round(value: f64, unit: &str) -> String {
    match unit {
        "ns" if value >= 1e9 => format!("{} s", value / 1e9),
        "ns" if value >= 1e6 => format!("{} ms", value / 1e6),
        "ns" if value >= 1e3 => format!("{} us", value / 1e3),
        "ns" => format!("{value} ns"),
        "bytes" if value >= 1e3 => format!("{} kB", value / 1e3),
        "bytes" => format!("{value} B"),
        _ => quantity(value, unit),
    }
}
