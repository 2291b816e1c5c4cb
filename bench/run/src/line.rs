//! The output of a peer: one measurement a line.

/// The metric of a failed measurement. The note says why.
pub const FAILED: &str = "failed";

/// The beginning of the note of a peer that was stopped.
pub const STOPPED: &str = "stopped";

/// One measurement.
#[derive(Debug)]
pub struct Line {
    pub metric: String,
    pub value: f64,
    pub unit: String,
    /// CPU nanoseconds per operation during the measured part.
    pub cpu: f64,
    pub note: String,
    /// Of a latency: `PERCENT:VALUE`, with a space in between.
    pub distribution: String,
}

impl Line {
    /// Whether it says that the peer has been stopped.
    pub fn was_stopped(&self) -> bool {
        self.metric == FAILED && self.note.starts_with(STOPPED)
    }

    /// The line in place of measurements, if there are none.
    pub fn failed(reason: &str) -> Line {
        let note = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let (metric, unit, distribution) = (FAILED.to_owned(), String::new(), String::new());
        Line { metric, value: 0.0, unit, cpu: 0.0, note, distribution }
    }
}

/// One measurement a line.
pub fn parse(text: &str) -> Result<Vec<Line>, String> {
    text.lines().map(|line| parse_line(line).ok_or_else(|| format!("not a measurement: {line:?}"))).collect()
}

fn parse_line(line: &str) -> Option<Line> {
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    Some(Line {
        metric: next()?.to_owned(),
        value: next()?.parse().ok()?,
        unit: next()?.to_owned(),
        cpu: next()?.parse().ok()?,
        note: next()?.to_owned(),
        distribution: next().unwrap_or_default().to_owned(),
    })
}
