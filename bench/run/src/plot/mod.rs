//! Plots of what was measured, as SVG.

mod curves;
mod latency;
mod look;
mod ratios;
mod scale;
mod svg;
mod threads;

pub use latency::latency;
pub use ratios::ratios;
pub use threads::threads;
