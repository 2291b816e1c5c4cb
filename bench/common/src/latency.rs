//! Latencies, and how a peer or a generator reports them.

use hdrhistogram::Histogram;

/// The percentages of a reported distribution: evenly up to 90, then four for each further nine.
const PERCENTS: [f64; 29] = [
    0.0, 1.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 80.0, 85.0, 90.0, 92.5, 95.0, 97.5, 99.0,
    99.25, 99.5, 99.75, 99.9, 99.925, 99.95, 99.975, 99.99, 99.995, 99.999, 100.0,
];

/// A histogram of nanoseconds up to a minute, with three significant digits. Larger values are
/// recorded as a minute, by `saturating_record`.
pub fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("three digits are possible")
}

/// Two measurements, `METRIC p50` and `METRIC p99`. The first one carries the whole distribution as
/// its sixth field.
pub fn report_latencies(metric: &str, latencies: &Histogram<u64>, cpu: f64, note: &str) {
    let at = |percent| latencies.value_at_percentile(percent);
    println!("{metric} p50\t{}\tns\t{cpu:.3}\t{note}\t{}", at(50.0), distribution(latencies));
    println!("{metric} p99\t{}\tns\t{cpu:.3}\t", at(99.0));
}

/// `PERCENT:VALUE`, with spaces in between. A percentage that stands for less than one measurement
/// is left out; the greatest value is there.
fn distribution(latencies: &Histogram<u64>) -> String {
    let told =
        |percent: &&f64| (100.0 - **percent) / 100.0 * latencies.len() as f64 >= 1.0 || **percent == 100.0;
    let point = |percent: &f64| format!("{percent}:{}", latencies.value_at_percentile(*percent));
    PERCENTS.iter().filter(told).map(point).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_has_the_points_that_its_size_allows() {
        let mut values = latencies();
        for value in 1..=200 {
            values.saturating_record(value * 1000);
        }
        let text = distribution(&values);
        let points: Vec<(f64, f64)> = text
            .split(' ')
            .map(|point| point.split_once(':').unwrap())
            .map(|(percent, value)| (percent.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let value = |percent| points.iter().find(|point| point.0 == percent).map(|point| point.1.round());
        assert_eq!(points.first().unwrap().0, 0.0);
        assert_eq!(points.last().unwrap().0, 100.0);
        assert!((99_900.0..100_200.0).contains(&value(50.0).unwrap()), "{text}");
        assert!(value(99.5).is_some() && value(99.75).is_none(), "{text}");
    }
}
