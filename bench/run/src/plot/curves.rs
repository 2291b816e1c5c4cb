//! A panel with curves.

use super::scale::Log;
use super::svg::Svg;

/// The place of a panel, and the labels of its axes.
#[derive(Debug)]
pub struct Panel<'a> {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    pub title: &'a str,
}

impl Panel<'_> {
    pub fn draw(&self, svg: &mut Svg, columns: &[(f64, String)], scale: &Log, told: impl Fn(f64) -> String) {
        svg.text(self.left, self.top - 12.0, "head", self.title);
        for tick in scale.ticks(16.0) {
            let y = scale.at(tick);
            svg.line((self.left, y), (self.right, y), "grid");
            svg.text(self.left - 6.0, y + 4.0, "soft end", &told(tick));
        }
        for (x, text) in columns {
            svg.line((*x, self.top), (*x, self.bottom), "grid");
            svg.text(*x, self.bottom + 16.0, "soft middle", text);
        }
        svg.line((self.left, self.bottom), (self.right, self.bottom), "axis");
        svg.line((self.left, self.top), (self.left, self.bottom), "axis");
    }
}

/// The classes of a peer's curve.
pub fn class(peer: &str) -> String {
    if crate::stats::is_ours(peer) { format!("{peer} ours") } else { peer.to_owned() }
}
