//! Medians, spreads and ratios of the measurements.

use crate::line::FAILED;
use crate::results::Sample;
use crate::works::Row;

/// The results of one peer in one metric of one work, repeat by repeat.
#[derive(Clone, Debug)]
pub struct Series<'a> {
    pub peer: &'a str,
    pub samples: Vec<&'a Sample>,
    /// Of each repeat.
    values: Vec<(usize, f64)>,
}

impl<'a> Series<'a> {
    fn new(peer: &'a str, samples: Vec<&'a Sample>, value: fn(&Sample) -> f64) -> Series<'a> {
        let values = samples.iter().map(|sample| (sample.repeat, value(sample))).collect();
        Series { peer, samples, values }
    }

    pub fn is_ours(&self) -> bool {
        is_ours(self.peer)
    }

    pub fn median(&self) -> f64 {
        median(self.values.iter().map(|(_, value)| *value))
    }

    pub fn least(&self) -> f64 {
        self.values.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min)
    }

    pub fn greatest(&self) -> f64 {
        self.values.iter().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max)
    }

    /// CPU nanoseconds for one operation.
    pub fn cpu(&self) -> f64 {
        median(self.samples.iter().map(|sample| sample.line.cpu))
    }

    /// The median of the ratios to the other one in each repeat: the machine drifts between
    /// repeats.
    pub fn ratio_to(&self, other: &Series) -> f64 {
        let of_other = |repeat| other.values.iter().find(|(other, _)| *other == repeat);
        median(self.values.iter().filter_map(|(repeat, value)| Some(value / of_other(*repeat)?.1)))
    }

    /// The note of the measurement in the middle.
    pub fn note(&self) -> &'a str {
        let mut order: Vec<_> = (0..self.values.len()).collect();
        order.sort_by(|a, b| self.values[*a].1.total_cmp(&self.values[*b].1));
        order.get((order.len().max(1) - 1) / 2).map_or("", |middle| &self.samples[*middle].line.note)
    }

    /// Percentages and their values, each the median of all repeats.
    pub fn distribution(&self) -> Vec<(f64, f64)> {
        let all: Vec<_> = self.samples.iter().map(|sample| points(&sample.line.distribution)).collect();
        let Some(first) = all.first() else { return Vec::new() };
        let at = |percent| {
            let of_one =
                |points: &Vec<(f64, f64)>| points.iter().find(|(other, _)| *other == percent).copied();
            median(all.iter().filter_map(of_one).map(|(_, value)| value))
        };
        first.iter().map(|(percent, _)| (*percent, at(*percent))).collect()
    }
}

fn points(distribution: &str) -> Vec<(f64, f64)> {
    let point = |text: &str| {
        let (percent, value) = text.split_once(':')?;
        Some((percent.parse().ok()?, value.parse().ok()?))
    };
    distribution.split(' ').filter_map(point).collect()
}

pub fn is_ours(peer: &str) -> bool {
    peer.starts_with("greenthread")
}

/// One metric of one work, with the results of all peers.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    pub row: &'a Row,
    pub metric: &'a str,
    pub series: Vec<Series<'a>>,
}

impl<'a> Group<'a> {
    pub fn title(&self) -> String {
        match self.metric {
            "time" => self.row.title(),
            metric => format!("{}: {metric}", self.row.title()),
        }
    }

    pub fn unit(&self) -> &'a str {
        self.series.first().map_or("", |series| &series.samples[0].line.unit)
    }

    /// Less is better, except for rates.
    pub fn more_is_better(&self) -> bool {
        self.unit() == "per s"
    }

    pub fn ours(&self) -> Option<&Series<'a>> {
        self.series.iter().find(|series| series.is_ours())
    }

    /// The peer with the best median, apart from some.
    pub fn best(&self, except: &[&str]) -> Option<&Series<'a>> {
        let sign = if self.more_is_better() { -1.0 } else { 1.0 };
        let peers = self.series.iter().filter(|series| !series.is_ours() && !except.contains(&series.peer));
        peers.min_by(|a, b| (sign * a.median()).total_cmp(&(sign * b.median())))
    }

    /// The processor time of this metric, as a metric of its own.
    pub fn cpu(&self) -> Group<'a> {
        let series = self.series.iter();
        let series = series.map(|series| Series::new(series.peer, series.samples.clone(), |it| it.line.cpu));
        Group { row: self.row, metric: "cpu", series: series.collect() }
    }
}

/// All metrics of all works, in the order of the list, and then in that of the peers' output.
pub fn groups<'a>(rows: &'a [Row], samples: &'a [Sample]) -> Vec<Group<'a>> {
    rows.iter().enumerate().flat_map(|(number, row)| of_row(number, row, samples)).collect()
}

fn of_row<'a>(number: usize, row: &'a Row, samples: &'a [Sample]) -> Vec<Group<'a>> {
    let ok = |sample: &&Sample| sample.row == number && sample.line.metric != FAILED;
    let samples: Vec<_> = samples.iter().filter(ok).collect();
    let group = |metric| {
        let of_peer = |peer: &'a String| {
            let same = |sample: &&&Sample| sample.line.metric == metric && sample.peer == *peer;
            let samples: Vec<_> = samples.iter().filter(same).copied().collect();
            (!samples.is_empty()).then(|| Series::new(peer, samples, |it| it.line.value))
        };
        Group { row, metric, series: row.peers.iter().filter_map(of_peer).collect() }
    };
    unique(samples.iter().map(|sample| sample.line.metric.as_str())).into_iter().map(group).collect()
}

pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => values[len / 2],
        len => (values[len / 2 - 1] + values[len / 2]) / 2.0,
    }
}

/// Each once, in the order in which they come.
pub fn unique<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

/// Three significant digits. Thousands are set apart.
pub fn number(value: f64) -> String {
    match value.abs() {
        v if v.is_nan() => "–".to_owned(),
        v if v < 9.995 => format!("{value:.2}"),
        v if v < 99.95 => format!("{value:.1}"),
        _ => thousands(value),
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = if value < 0.0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The value with a suitable multiple of its unit.
pub fn quantity(value: f64, unit: &str) -> String {
    match (unit, value.abs()) {
        ("ns", v) if v >= 1e9 => format!("{} s", number(value / 1e9)),
        ("ns", v) if v >= 1e6 => format!("{} ms", number(value / 1e6)),
        ("ns", v) if v >= 1e4 => format!("{} us", number(value / 1e3)),
        ("", _) => format!("{value}"),
        _ => format!("{} {unit}", number(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{rows, samples};

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median([]).is_nan());
    }

    #[test]
    fn a_ratio_is_taken_within_each_repeat() {
        let (rows, samples) = (rows(), samples());
        let groups = groups(&rows, &samples);
        let yields = &groups[0];
        let (ours, go) = (yields.ours().unwrap(), &yields.series[1]);
        // 10/100, 40/200, 30/100: the ratio of the medians would be 0.3.
        assert_eq!(ours.ratio_to(go), 0.2);
        assert_eq!((ours.median(), ours.least(), ours.greatest()), (30.0, 10.0, 40.0));
        assert_eq!(ours.note(), "the third");
        assert_eq!(yields.best(&[]).unwrap().peer, "may");
        assert_eq!(yields.best(&["may"]).unwrap().peer, "go");
        assert_eq!(yields.cpu().ours().unwrap().median(), 7.0);
    }

    #[test]
    fn of_a_rate_more_is_better() {
        let (rows, samples) = (rows(), samples());
        let groups = groups(&rows, &samples);
        let rate = groups.iter().find(|group| group.metric == "rate").unwrap();
        assert_eq!(rate.best(&[]).unwrap().peer, "go");
        assert_eq!(rate.title(), "http, 64 connections, 1w: rate");
    }

    #[test]
    fn a_distribution_is_the_median_of_all_repeats() {
        let (rows, samples) = (rows(), samples());
        let groups = groups(&rows, &samples);
        let late = groups.iter().find(|group| group.metric == "late p50").unwrap();
        assert_eq!(late.ours().unwrap().distribution(), [(50.0, 60.0), (99.0, 900.0)]);
    }

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!([0.0, 0.123, 9.999, 12.34, 123.4].map(number), ["0.00", "0.12", "10.0", "12.3", "123"]);
        assert_eq!(number(1234567.0), "1,234,567");
        assert_eq!(quantity(12_345.0, "ns"), "12.3 us");
        assert_eq!(quantity(9_999.0, "ns"), "9,999 ns");
        assert_eq!(quantity(2.5e6, "ns"), "2.50 ms");
        assert_eq!(quantity(3.0, ""), "3");
    }
}
