//! All works at a glance: how many times as long the peers take.

use super::scale::Log;
use super::svg::{CHARACTER, Svg};
use crate::stats::{Group, number, unique};

const ROW: f64 = 19.0;
const RIGHT: f64 = 690.0;
const WIDTH: f64 = 850.0;

/// A line for each work: ours is at 1, with a mark for each peer, and a bar as far as the best of
/// them.
pub fn ratios(groups: &[Group]) -> String {
    let shown: Vec<_> = groups.iter().filter(|group| is_shown(group, groups)).filter_map(Line::of).collect();
    let mut svg = Svg::new("How the peers compare with us", WIDTH);
    svg.text(
        0.0,
        36.0,
        "soft",
        "Ours is at 1. A peer to the right of it takes so many times as much (or does so many times less a",
    );
    svg.text(
        0.0,
        51.0,
        "soft",
        "second), one to the left is better than we are. The bars go to the best peer. Medians; logarithmic.",
    );
    let peers = unique(shown.iter().flat_map(|line| line.peers.iter().map(|(peer, _)| *peer)));
    let top = 74.0 + svg.legend(&peers, 0.0, 74.0, WIDTH) + 8.0;
    let bottom = top + ROW * shown.len() as f64;
    let values = shown.iter().flat_map(|line| line.peers.iter().map(|(_, value)| *value));
    let longest = shown.iter().map(|line| line.title.len()).max().unwrap_or(0);
    let left = 20.0 + CHARACTER * longest as f64;
    let scale = Log::around(values.chain([1.0]), left, RIGHT);

    for tick in scale.ticks(34.0) {
        let x = scale.at(tick);
        svg.line((x, top - 2.0), (x, bottom), "grid");
        svg.text(x, top - 7.0, "soft middle", &format!("{tick}"));
        svg.text(x, bottom + 14.0, "soft middle", &format!("{tick}"));
    }
    svg.line((scale.at(1.0), top - 2.0), (scale.at(1.0), bottom), "axis");
    for (index, line) in shown.iter().enumerate() {
        let y = top + ROW * (index as f64 + 0.5);
        let (best, value) = line.best;
        let side = if value >= 1.0 { "ahead" } else { "behind" };
        let (one, other) = (scale.at(1.0), scale.at(value));
        svg.text(left - 10.0, y + 4.0, "end", &line.title);
        svg.rect(one.min(other), y - 4.0, (one - other).abs(), 8.0, &format!("{side} bar"));
        for (peer, value) in &line.peers {
            svg.mark(scale.at(*value), y, peer);
        }
        let told = format!("{best} {}", number(value));
        svg.text(RIGHT + 12.0, y + 4.0, &format!("{side} head"), &told);
    }
    svg.finish()
}

/// Works with very many threads stand for those with fewer, and processor time for rates.
fn is_shown(group: &Group, groups: &[Group]) -> bool {
    let same = |other: &&Group| other.row.work == group.row.work && other.row.workers == group.row.workers;
    let most = groups.iter().filter(same).map(|other| other.row.threads).max();
    let has_cpu = groups.iter().any(|other| std::ptr::eq(other.row, group.row) && other.metric == "cpu");
    let is_of_many = group.row.work != "parked" || most == Some(group.row.threads);
    is_of_many && !(group.metric == "rate" && has_cpu && group.row.targets.is_empty())
}

struct Line<'a> {
    title: String,
    peers: Vec<(&'a str, f64)>,
    best: (&'a str, f64),
}

impl<'a> Line<'a> {
    fn of(group: &Group<'a>) -> Option<Line<'a>> {
        let ours = group.ours()?;
        let times = |ratio: f64| if group.more_is_better() { ratio } else { 1.0 / ratio };
        let peers = group.series.iter().filter(|series| !series.is_ours());
        let peers = peers.map(|series| (series.peer, times(ours.ratio_to(series))));
        let peers: Vec<_> = peers.filter(|(_, value)| value.is_finite() && *value > 0.0).collect();
        let best = group.best(&[])?.peer;
        let best = *peers.iter().find(|(peer, _)| *peer == best)?;
        let title = group.title().replace(" threads", "").replace(" connections", " conns");
        Some(Line { title, peers, best })
    }
}
