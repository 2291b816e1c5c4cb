//! Plots of what was measured, as SVG.

mod curves;
mod latency;
mod ratios;
mod scale;
mod style;
mod svg;
mod threads;

pub use latency::latency;
pub use ratios::ratios;
pub use threads::threads;
