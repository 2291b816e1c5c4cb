//! The work list.

use crate::target::Target;

/// One line of `works.tsv`.
#[derive(Clone, Debug)]
pub struct Row {
    pub work: String,
    pub workers: usize,
    pub threads: usize,
    pub n: usize,
    pub peers: Vec<String>,
    pub targets: Vec<Target>,
}

impl Row {
    pub fn title(&self) -> String {
        let Row { work, workers, threads, n, .. } = self;
        match (work.as_str(), threads) {
            ("switch" | "coroutine", _) => work.clone(),
            ("yield" | "spawn-all" | "parked" | "mutex" | "mutex-held" | "rwlock" | "timers", threads) => {
                format!("{work}, {threads} threads, {workers}w")
            }
            ("floor-stacks", threads) => format!("{work}, {threads} of {n} KiB"),
            ("floor-sockets", threads) => format!("{work}, {threads} connections, {n} bytes"),
            ("http", threads) => format!("{work}, {threads} connections, {workers}w"),
            ("echo", threads) => format!("{work}, {threads} connections, {n} bytes, {workers}w"),
            ("echo-at-rate", threads) => format!("{work}, {threads} connections, {n} per s, {workers}w"),
            _ => format!("{work}, {workers}w"),
        }
    }
}

pub fn rows() -> Vec<Row> {
    parse(include_str!("../../works.tsv"))
}

pub fn parse(text: &str) -> Vec<Row> {
    let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next().expect("works.tsv has five columns and perhaps a sixth");
        Row {
            work: next().to_owned(),
            workers: next().parse().expect("workers is a number"),
            threads: next().parse().expect("threads is a number"),
            n: next().parse().expect("n is a number"),
            peers: next().split(' ').map(str::to_owned).collect(),
            targets: fields.next().map_or(Vec::new(), |targets| {
                targets
                    .split(", ")
                    .map(|target| target.parse().unwrap_or_else(|wrong| panic!("{wrong}")))
                    .collect()
            }),
        }
    });
    rows.collect()
}
