//! How the chapters measure: the best of many runs, because all that disturbs a run makes it
//! longer.

use std::time::Instant;

/// Prints what one of `count` turns of `work` takes.
pub fn measure(name: &str, count: u32, mut work: impl FnMut(u32)) {
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let start = Instant::now();
        work(count);
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(count));
    }
    println!("{name} {best:.1} ns");
}
