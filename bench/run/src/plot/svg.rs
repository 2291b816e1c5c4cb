//! Drawing: the common parts of all plots.

use std::fmt::Write;

use super::style::{self, Shape};

/// The average width of a character.
pub const CHARACTER: f64 = 6.4;

const STYLE: &str = "\
text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif;fill:#22252a}\
.title{font-size:15px;font-weight:600}.head{font-weight:600}.soft{fill:#61666e}.end{text-anchor:end}\
.middle{text-anchor:middle}.axis{stroke:#8b9098;fill:none}.grid{stroke:#8b909840;fill:none}\
.curve{stroke:currentColor;fill:none;stroke-width:1.6;stroke-linejoin:round}\
.ours{stroke-width:2.8}.ahead{fill:#4f7f1c}.behind{fill:#b02a37}.bar{opacity:.45}.mark{color:#61666e}\
@media(prefers-color-scheme:dark){text{fill:#e2e4e8}.soft{fill:#a0a6af}.axis{stroke:#7b818a}\
.ahead{fill:#a6d36a}.behind{fill:#ff8b93}}";

/// A picture that grows as it is drawn.
#[derive(Debug)]
pub struct Svg {
    body: String,
    title: String,
    width: f64,
    height: f64,
}

impl Svg {
    pub fn new(title: &str, width: f64) -> Svg {
        let mut svg = Svg { body: String::new(), title: title.to_owned(), width, height: 0.0 };
        svg.text(0.0, 18.0, "title", title);
        svg
    }

    fn put(&mut self, bottom: f64, what: std::fmt::Arguments) {
        self.height = self.height.max(bottom);
        writeln!(self.body, "{what}").expect("a string takes all");
    }

    pub fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let text = escaped(text);
        self.put(y + 6.0, format_args!(r#"<text x="{x:.1}" y="{y:.1}" class="{class}">{text}</text>"#));
    }

    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.put(y1.max(y2), format_args!(r#"<path d="M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}" class="{class}"/>"#));
    }

    pub fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, class: &str) {
        self.put(
            y + height,
            format_args!(
                r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" class="{class}"/>"#
            ),
        );
    }

    /// A line through points.
    pub fn curve(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.put(0.0, format_args!(r#"<polyline points="{}" class="curve {class}"/>"#, points.join(" ")));
    }

    /// A peer's mark.
    pub fn mark(&mut self, x: f64, y: f64, peer: &str) {
        let (solid, line) =
            ("fill=\"currentColor\"", "fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.7\"");
        let (path, paint) = match style::shape(peer) {
            Shape::Circle => ("M-3.8 0a3.8 3.8 0 1 0 7.6 0a3.8 3.8 0 1 0-7.6 0z", solid),
            Shape::Ring => ("M-3.3 0a3.3 3.3 0 1 0 6.6 0a3.3 3.3 0 1 0-6.6 0z", line),
            Shape::Square => ("M-3.3-3.3h6.6v6.6h-6.6z", solid),
            Shape::Diamond => ("M0-4.6L4.6 0L0 4.6L-4.6 0z", solid),
            Shape::Triangle => ("M0-4.4L4.2 3.3H-4.2z", solid),
            Shape::Cross => ("M-3.2-3.2L3.2 3.2M3.2-3.2L-3.2 3.2", line),
        };
        self.put(
            y + 5.0,
            format_args!(
                r#"<path transform="translate({x:.1} {y:.1})" d="{path}" {paint} class="{peer}"><title>{peer}</title></path>"#
            ),
        );
    }

    /// Draws marks and names, in as many lines as they need. Returns the height.
    pub fn legend(&mut self, peers: &[&str], x: f64, y: f64, width: f64) -> f64 {
        const LINE: f64 = 18.0;
        let (mut at, mut line) = (x, y);
        for peer in peers {
            let needs = 24.0 + CHARACTER * peer.len() as f64 + 12.0;
            if at + needs > x + width {
                (at, line) = (x, line + LINE);
            }
            self.mark(at + 5.0, line - 4.0, peer);
            self.text(at + 14.0, line, "", peer);
            at += needs;
        }
        line + LINE - y
    }

    pub fn finish(self) -> String {
        let Svg { body, title, width, height } = self;
        let (title, height, colours) = (escaped(&title), height + 4.0, style::css());
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-2 0 {width} {height:.0}\" width=\"{width}\" \
             height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n\
             <style>{STYLE}{colours}</style>\n{body}</svg>\n"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
