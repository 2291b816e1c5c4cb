//! The peers' styles: each one has a colour and a shape, the same in all plots. A family has one
//! colour.

/// The shape of a mark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    Circle,
    Ring,
    Square,
    Diamond,
    Triangle,
    Cross,
}

use Shape::{Circle, Cross, Diamond, Ring, Square, Triangle};

/// Names, colours on white and on black, and shapes.
const STYLES: [(&str, &str, &str, Shape); 16] = [
    ("greenthread", "#c2500a", "#ff9c55", Circle),
    ("greenthread-context", "#c2500a", "#ff9c55", Circle),
    ("go", "#0a7f9c", "#4cc9e6", Square),
    ("tokio-ct", "#2456b8", "#86b4ff", Circle),
    ("tokio-mt", "#2456b8", "#86b4ff", Triangle),
    ("tokio-2ct", "#2456b8", "#86b4ff", Ring),
    ("smol", "#4f7f1c", "#a6d36a", Diamond),
    ("may", "#8136b0", "#cf98f5", Square),
    ("boost", "#96730a", "#e3c04d", Triangle),
    ("std", "#5d636b", "#a9afb8", Cross),
    ("crossbeam", "#b02a37", "#ff8b93", Cross),
    ("rayon", "#b83280", "#ff94cb", Diamond),
    ("monoio", "#1d7a66", "#62d3bb", Ring),
    ("uring", "#22252a", "#e2e4e8", Cross),
    ("corosensei", "#1d7a66", "#62d3bb", Square),
    ("generator", "#8136b0", "#cf98f5", Diamond),
];

pub fn shape(peer: &str) -> Shape {
    STYLES.iter().find(|style| style.0 == peer).map_or(Ring, |style| style.3)
}

/// The colours as classes, named by the peers, for light and dark pages.
pub fn css() -> String {
    let class = |name, colour| format!(".{name}{{color:{colour}}}");
    let light = STYLES.map(|(name, light, ..)| class(name, light)).concat();
    let dark = STYLES.map(|(name, _, dark, _)| class(name, dark)).concat();
    format!("{light}@media(prefers-color-scheme:dark){{{dark}}}")
}
