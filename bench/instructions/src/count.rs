//! The counts of one operation.

#[derive(Clone, Copy, Debug)]
pub struct Count {
    pub instructions: f64,
    /// Instructions that lock the bus.
    pub atomics: f64,
    /// Returns from functions.
    pub returns: f64,
    /// System calls.
    pub kernel: f64,
    /// Readings of the clock.
    pub clock: f64,
}

/// The spread of the instruction counts, in percent of the least.
pub fn spread(counts: &[Count]) -> f64 {
    let (least, most) = counts.iter().fold((f64::MAX, 0.0), |(least, most), count| {
        (count.instructions.min(least), count.instructions.max(most))
    });
    (most / least - 1.0) * 100.0
}
