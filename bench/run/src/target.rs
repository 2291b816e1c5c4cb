//! Targets, as `works.tsv` writes them.

use std::str::FromStr;

/// A target in `works.tsv`: `METRIC<=LIMIT`, where the metric may be followed by what it is
/// compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub metric: String,
    pub against: Against,
    pub at_least: bool,
    pub limit: f64,
}

/// The divisor of our median.
#[derive(Clone, Debug, PartialEq)]
pub enum Against {
    /// The median of the best peer.
    Best,
    /// The median of this peer.
    Peer(String),
    /// Our own median, with this many threads.
    Threads(usize),
    /// None: the limit has a unit, and this is its text.
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

impl Target {
    /// The peer that it names, if it is a target of this metric.
    pub fn peer_of(&self, metric: &str) -> Option<&str> {
        match &self.against {
            Against::Peer(peer) if self.metric == metric => Some(peer),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
