//! Latencies, by the share of requests.

use super::curves::{Panel, class};
use super::scale::Log;
use super::svg::Svg;
use super::threads::round;
use crate::stats::Group;

const WIDTH: f64 = 850.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 830.0;

/// The share of measurements that were at most so large. Each further nine has as much room as the
/// one before. `None` if no peer has reported a distribution.
pub fn latency(group: &Group) -> Option<String> {
    let curves: Vec<_> = group.series.iter().map(|series| (series.peer, series.distribution())).collect();
    let curves: Vec<_> = curves.into_iter().filter(|(_, points)| points.len() > 1).collect();
    let all = || curves.iter().flat_map(|(_, points)| points.iter().copied());
    // The place of the greatest value.
    let finite = all().map(|(percent, _)| percent).filter(|percent| *percent < 100.0);
    let end = nines(finite.fold(None, |most: Option<f64>, percent| Some(most.unwrap_or(0.0).max(percent)))?);
    let end = end + 0.3;
    let x = |percent: f64| LEFT + (RIGHT - LEFT) * if percent < 100.0 { nines(percent) / end } else { 1.0 };

    let metric = group.metric.strip_suffix(" p50").unwrap_or(group.metric);
    let mut svg = Svg::new(&format!("{}: {metric}", group.row.title()), WIDTH);
    let peers: Vec<_> = curves.iter().map(|(peer, _)| *peer).collect();
    let top = 40.0 + svg.legend(&peers, 0.0, 42.0, WIDTH) + 8.0;
    let bottom = top + 270.0;
    let y = Log::decades(all().map(|(_, value)| value.max(100.0)), bottom, top);
    let ticks = [0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999].into_iter();
    let ticks = ticks.filter(|percent| nines(*percent) < end - 0.4);
    let mut columns: Vec<_> = ticks.map(|percent| (x(percent), format!("{percent}%"))).collect();
    columns.push((x(100.0), "all".to_owned()));
    let panel = Panel { left: LEFT, right: RIGHT, top, bottom, title: "" };
    panel.draw(&mut svg, &columns, &y, |value| round(value, group.unit()));
    for (peer, points) in curves.iter().rev() {
        let points: Vec<_> =
            points.iter().map(|(percent, value)| (x(*percent), y.at(value.max(100.0)))).collect();
        svg.curve(&points, &class(peer));
        let marked = points.iter().step_by(4);
        marked.for_each(|(x, y)| svg.mark(*x, *y, peer));
    }
    svg.text((LEFT + RIGHT) / 2.0, bottom + 36.0, "soft middle", "so many of them were at most so late");
    Some(svg.finish())
}

/// 90 has one, 99 two, 99.9 three.
fn nines(percent: f64) -> f64 {
    -(1.0 - percent / 100.0).log10()
}
