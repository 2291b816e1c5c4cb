//! The common parts of all pictures: their colours, light and dark, and text.

use std::fmt::{self, Display, Write};

/// Colours have meanings: blue is `run` and the OS thread's own stack, orange is a green thread,
/// green is code.
const STYLE: &str = "\
text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif;fill:#22252a}\
.title{font-size:15px;font-weight:600}.mono,.mono *{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}\
.soft{fill:#61666e}.small{font-size:11.5px}.end{text-anchor:end}.middle{text-anchor:middle}\
.run{fill:#e3eefb;stroke:#1d5fb8}.one{fill:#fdebdc;stroke:#b1500a}.two{fill:#e8f3da;stroke:#4f7a1c}\
.free{fill:none;stroke:#a3a8ae;stroke-dasharray:4 3}.line{fill:none;stroke:#8b9098}.dot{fill:#8b9098}\
.mark{fill:#b1500a;font-weight:600}.code{fill:#4f7a1c}\
@media(prefers-color-scheme:dark){text{fill:#e2e4e8}.soft{fill:#a0a6af}\
.run{fill:#1b3354;stroke:#84b8ff}.one{fill:#4a2c17;stroke:#ffb27a}.two{fill:#2b3d17;stroke:#a9d56f}\
.free{stroke:#666c75}.line{stroke:#8b9098}.mark{fill:#ffb27a}.code{fill:#a9d56f}}";

/// A picture that grows as it is drawn.
#[derive(Debug)]
pub(super) struct Svg {
    body: String,
    title: String,
    width: f64,
    height: f64,
}

impl Svg {
    /// A picture of this width, with its title.
    pub(super) fn new(title: &str, width: f64) -> Self {
        let mut this = Self { body: String::new(), title: title.replace('`', ""), width, height: 0.0 };
        this.text(0.0, 18.0, "title", title);
        this
    }

    fn put(&mut self, what: impl Display) {
        writeln!(self.body, "{what}").expect("a string takes all");
    }

    /// A box with round corners.
    pub(super) fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, class: &str) {
        self.height = self.height.max(y + height);
        self.put(format_args!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="5" class="{class}"/>"#
        ));
    }

    /// A line of text, whose parts between backticks are code.
    pub(super) fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        self.height = self.height.max(y + 5.0);
        self.put(format_args!(r#"<text x="{x}" y="{y}" class="{class}">{}</text>"#, Marked(text)));
    }

    /// A line through points.
    pub(super) fn line(&mut self, points: &[(f64, f64)]) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        self.put(format_args!(r#"<polyline points="{}" class="line"/>"#, points.join(" ")));
    }

    /// A point.
    pub(super) fn dot(&mut self, x: f64, y: f64) {
        self.put(format_args!(r#"<circle cx="{x}" cy="{y}" r="3.5" class="dot"/>"#));
    }

    pub(super) fn finish(self) -> String {
        let Self { body, title, width, height } = self;
        let height = height + 4.0;
        let title = escaped(&title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-2 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n{body}</svg>\n"
        )
    }
}

/// Text with code in it.
struct Marked<'a>(&'a str);

impl Display for Marked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.split('`').enumerate() {
            let part = escaped(part);
            if index % 2 == 1 {
                write!(f, r#"<tspan class="mono">{part}</tspan>"#)?;
            } else {
                f.write_str(&part)?;
            }
        }
        Ok(())
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Breaks the text into lines of this many characters.
pub(super) fn wrapped(text: &str, characters: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a first one");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > characters {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            *line += word;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_text() {
        assert_eq!(wrapped("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(Marked("a <b> `c`").to_string(), r#"a &lt;b&gt; <tspan class="mono">c</tspan>"#);
    }
}
