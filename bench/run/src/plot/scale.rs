//! From values to places.

/// An axis on which each decade is as long as the others.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// Exponents of ten.
    low: f64,
    high: f64,
    /// The places of the lowest and the highest value.
    from: f64,
    to: f64,
}

impl Log {
    /// Has room for all values, and for whole decades.
    pub fn decades(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Log {
        let (least, greatest) = bounds(values);
        let (low, high) = (least.log10().floor(), greatest.log10().ceil());
        Log { low, high: if high > low { high } else { low + 1.0 }, from, to }
    }

    /// Has room for all values, and a little more.
    pub fn around(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Log {
        let (least, greatest) = bounds(values);
        let (low, high) = (least.log10(), greatest.log10());
        let margin = ((high - low) * 0.04).max(0.02);
        Log { low: low - margin, high: high + margin, from, to }
    }

    pub fn at(&self, value: f64) -> f64 {
        self.from + (value.log10() - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// The powers of ten on it, so few that each one has this much room.
    pub fn ticks(&self, room: f64) -> Vec<f64> {
        let decade = (self.to - self.from).abs() / (self.high - self.low);
        let step = (room / decade).ceil().max(1.0) as usize;
        let all = (self.low.ceil() as i32..=self.high.floor() as i32).step_by(step);
        all.map(|exponent| 10f64.powi(exponent)).collect()
    }
}

fn bounds(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let values = values.into_iter().filter(|value| *value > 0.0 && value.is_finite());
    let (least, greatest) = values
        .fold((f64::INFINITY, 0.0), |(least, greatest), value: f64| (value.min(least), value.max(greatest)));
    if greatest == 0.0 { (1.0, 10.0) } else { (least, greatest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decade_is_as_long_as_another() {
        let scale = Log::decades([20.0, 700.0], 0.0, 300.0);
        assert_eq!([10.0, 100.0, 1000.0].map(|value| scale.at(value).round()), [0.0, 150.0, 300.0]);
        assert_eq!(scale.ticks(40.0), [10.0, 100.0, 1000.0]);
        assert_eq!(scale.ticks(200.0), [10.0, 1000.0]);
        assert_eq!(Log::decades([10.0], 0.0, 1.0).ticks(0.1), [10.0, 100.0]);
        assert_eq!(Log::decades([f64::NAN, 0.0], 0.0, 1.0).ticks(0.1), [1.0, 10.0]);
    }
}
