//! Targets, and whether they are met.

use std::str::FromStr;

use crate::results::Sample;
use crate::stats::{Group, groups, number, quantity};
use crate::works::Row;

/// What `works.tsv` asks of us: `METRIC<=LIMIT`, where the metric may be followed by whom it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    metric: String,
    against: Against,
    at_least: bool,
    limit: f64,
}

/// What our median is divided by.
#[derive(Clone, Debug, PartialEq)]
enum Against {
    /// That of the best peer.
    Best,
    /// That of this one.
    Peer(String),
    /// Our own, with so many threads.
    Threads(usize),
    /// By nothing: the limit has a unit, as it was written.
    Nothing(String),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let wrong = || format!("not a target: {text:?}");
        let (left, at_least, right) = match (text.split_once("<="), text.split_once(">=")) {
            (Some((left, right)), None) => (left, false, right),
            (None, Some((left, right))) => (left, true, right),
            _ => return Err(wrong()),
        };
        let digits = right.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(right.len());
        let (limit, unit) = right.split_at(digits);
        let factor = match unit {
            "" | "B" | "ns" => 1.0,
            "us" => 1e3,
            "ms" => 1e6,
            _ => return Err(wrong()),
        };
        let limit = factor * limit.parse::<f64>().map_err(|_| wrong())?;
        let (metric, against) = if let Some((metric, peer)) = left.split_once('/') {
            (metric, Against::Peer(peer.to_owned()))
        } else if let Some((metric, threads)) = left.split_once('@') {
            (metric, Against::Threads(threads.parse().map_err(|_| wrong())?))
        } else if !unit.is_empty() || limit == 0.0 {
            (left, Against::Nothing(right.to_owned()))
        } else {
            (left, Against::Best)
        };
        Ok(Target { metric: metric.to_owned(), against, at_least, limit })
    }
}

/// What has become of a target.
#[derive(Debug)]
pub struct Verdict {
    pub title: String,
    pub ours: String,
    /// With whom it was compared, and what that reached.
    pub against: String,
    pub ratio: String,
    pub limit: String,
    /// Nothing if it wasn't measured.
    pub met: Option<bool>,
}

/// Of all targets, in the order of the list.
pub fn verdicts(rows: &[Row], samples: &[Sample]) -> Vec<Verdict> {
    let groups = groups(rows, samples);
    let verdicts = rows.iter().flat_map(|row| row.targets.iter().map(|target| judge(row, target, &groups)));
    verdicts.collect()
}

/// The metric `cpu` is the processor time of `time`, where there is none of that name.
fn find<'a>(groups: &[Group<'a>], row: &Row, metric: &str) -> Option<Group<'a>> {
    let find = |metric| {
        let is_it = |group: &&Group| std::ptr::eq(group.row, row) && group.metric == metric;
        groups.iter().find(is_it)
    };
    match (find(metric), metric) {
        (Some(group), _) => Some(group.clone()),
        (None, "cpu") => Some(find("time")?.cpu()),
        (None, _) => None,
    }
}

fn judge(row: &Row, target: &Target, groups: &[Group]) -> Verdict {
    let sign = if target.at_least { '≥' } else { '≤' };
    let metric = &target.metric;
    let limit = match &target.against {
        Against::Nothing(limit) => limit.clone(),
        _ => format!("{:.2}", target.limit),
    };
    let title = match metric.as_str() {
        "time" => row.title(),
        metric => format!("{}: {metric}", row.title()),
    };
    let mut verdict = Verdict {
        title,
        ours: String::new(),
        against: match &target.against {
            Against::Peer(peer) => peer.clone(),
            Against::Threads(threads) => format!("ours, {threads} threads"),
            Against::Best | Against::Nothing(_) => String::new(),
        },
        ratio: String::new(),
        limit: format!("{sign} {limit}"),
        met: None,
    };
    let group = find(groups, row, metric);
    let Some((group, ours)) = group.as_ref().and_then(|group| Some((group, group.ours()?))) else {
        return verdict;
    };
    let with_note = |value, note: &str| {
        let note = note.split_once("apart ").map_or(String::new(), |(_, apart)| format!(", apart {apart}"));
        format!("{}{note}", quantity(value, group.unit()))
    };
    verdict.ours = with_note(ours.median(), ours.note());
    let value = match &target.against {
        Against::Nothing(_) => ours.median(),
        Against::Threads(threads) => {
            let fewer = groups.iter().find(|other| {
                let Row { work, workers, .. } = other.row;
                other.row.threads == *threads
                    && (work, workers, other.metric) == (&row.work, &row.workers, group.metric)
            });
            let Some(fewer) = fewer.and_then(Group::ours) else { return verdict };
            verdict.against = format!("{}: {}", verdict.against, quantity(fewer.median(), group.unit()));
            ours.ratio_to(fewer)
        }
        Against::Best | Against::Peer(_) => {
            let others: Vec<_> = row.targets.iter().filter_map(|other| other.peer_of(metric)).collect();
            let peer = match &target.against {
                Against::Peer(peer) => group.series.iter().find(|series| series.peer == peer),
                _ => group.best(&others),
            };
            let Some(peer) = peer else { return verdict };
            verdict.against = format!("{}: {}", peer.peer, with_note(peer.median(), peer.note()));
            ours.ratio_to(peer)
        }
    };
    if value.is_nan() {
        return verdict;
    }
    if !matches!(target.against, Against::Nothing(_)) {
        verdict.ratio = number(value);
    }
    verdict.met = Some(if target.at_least { value >= target.limit } else { value <= target.limit });
    verdict
}

impl Target {
    /// Whom it names, if it is one of this metric.
    fn peer_of(&self, metric: &str) -> Option<&str> {
        match &self.against {
            Against::Peer(peer) if self.metric == metric => Some(peer),
            _ => None,
        }
    }
}

/// `N of M met`, and how many weren't measured.
pub fn count(verdicts: &[Verdict]) -> String {
    let met = verdicts.iter().filter(|verdict| verdict.met == Some(true)).count();
    let measured = verdicts.iter().filter(|verdict| verdict.met.is_some()).count();
    let rest = match verdicts.len() - measured {
        0 => String::new(),
        rest => format!(" ({rest} more were not measured)"),
    };
    format!("{met} of {measured} targets are met{rest}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{rows, samples};

    #[test]
    fn targets_are_read() {
        let target = |text: &str| text.parse::<Target>();
        let time = |against, limit| Target { metric: "time".to_owned(), against, at_least: false, limit };
        assert_eq!(target("time<=0.3"), Ok(time(Against::Best, 0.3)));
        assert_eq!(target("time/rayon<=1.3"), Ok(time(Against::Peer("rayon".to_owned()), 1.3)));
        assert_eq!(target("time@1000<=1.5"), Ok(time(Against::Threads(1000), 1.5)));
        assert_eq!(target("time<=1ms"), Ok(time(Against::Nothing("1ms".to_owned()), 1e6)));
        assert_eq!(target("time<=0"), Ok(time(Against::Nothing("0".to_owned()), 0.0)));
        assert!(target("rate>=1.0").unwrap().at_least);
        for wrong in ["time", "time<0.3", "time<=", "time<=3 parsecs", "time@many<=1"] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_target_has_its_verdict() {
        let verdicts = verdicts(&rows(), &samples());
        let told: Vec<_> = verdicts
            .iter()
            .map(|verdict| {
                let Verdict { title, ours, against, ratio, limit, met } = verdict;
                format!("{title} | {ours} | {against} | {ratio} | {limit} | {met:?}")
            })
            .collect();
        assert_eq!(
            told,
            [
                "yield, 2 threads, 1w | 30.0 ns | may: 60.0 ns | 0.50 | ≤ 0.15 | Some(false)",
                "yield, 2 threads, 1w: cpu | 7.00 ns | go: 70.0 ns | 0.10 | ≤ 0.50 | Some(true)",
                "http, 64 connections, 1w: rate | 1,000 per s | go: 900 per s | 1.11 | ≥ 1.00 | Some(true)",
                "timers, 10 threads, 1w: late p50 | 60.0 ns |  |  | ≤ 60ns | Some(true)",
                "timers, 10 threads, 1w: cpu |  |  |  | ≤ 0.50 | None",
                "parked, 1000000 threads, 1w: memory | 4,500 bytes |  |  | ≤ 4608B | Some(true)",
                "parked, 1000000 threads, 1w: start | 200 ns | smol |  | ≤ 1.00 | None",
                "parked, 1000000 threads, 1w: start | 200 ns | ours, 1000 threads: 100 ns | 2.00 | ≤ 1.50 | Some(false)",
            ]
        );
        assert_eq!(count(&verdicts), "4 of 6 targets are met (2 more were not measured).");
    }
}
