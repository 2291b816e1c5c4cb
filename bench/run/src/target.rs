//! Targets, as `works.tsv` writes them.

use std::str::FromStr;

/// What `works.tsv` asks of us: `METRIC<=LIMIT`, where the metric may be followed by whom it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub metric: String,
    pub against: Against,
    pub at_least: bool,
    pub limit: f64,
}

/// What our median is divided by.
#[derive(Clone, Debug, PartialEq)]
pub enum Against {
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

impl Target {
    /// Whom it names, if it is one of this metric.
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
