//! Whether the targets are met.

use crate::results::Sample;
use crate::stats::{Group, groups, number, quantity};
use crate::target::{Against, Target};
use crate::works::Row;

/// The verdict on a target.
#[derive(Debug)]
pub struct Verdict {
    pub title: String,
    pub ours: String,
    /// The peer that it was compared with, and its result.
    pub against: String,
    pub ratio: String,
    pub limit: String,
    /// Nothing if it wasn't measured.
    pub met: Option<bool>,
}

/// The verdicts on all targets, in the order of the list.
pub fn verdicts(rows: &[Row], samples: &[Sample]) -> Vec<Verdict> {
    let groups = groups(rows, samples);
    let verdicts = rows.iter().flat_map(|row| row.targets.iter().map(|target| judge(row, target, &groups)));
    verdicts.collect()
}

/// The metric `cpu` is the processor time of `time`, if no metric has that name.
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
