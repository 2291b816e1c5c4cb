//! The common parts of all pictures: their colours, light and dark, their text, and the legend.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};

use super::source::Source;
use crate::complaints::Complaints;

/// A phone's window, without the margins of a page.
pub(super) const NARROW: f64 = 350.0;
/// The longest line of text in the book.
pub(super) const WIDE: f64 = 700.0;

/// What has a colour of its own, and what the legend calls it. The interactive pages have the same.
const THINGS: [(&str, &str); 9] = [
    ("own", "the program’s own stack"),
    ("main", "the stack of the green thread `main`"),
    ("one", "thread one’s stack"),
    ("two", "thread two’s stack"),
    ("future", "a future"),
    ("guard", "a guard"),
    ("alternate", "the alternate stack"),
    ("heap", "the heap"),
    ("free", "not in use"),
];

const STYLE: &str = "\
text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif;fill:#22252a}\
.mono,.mono *{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}\
.soft{fill:#5b6068}.small{font-size:12px}.end{text-anchor:end}.middle{text-anchor:middle}.strong{font-weight:600}\
.own{fill:#e3eefb;stroke:#1d5fb8}.one{fill:#fdebdc;stroke:#b1500a}.two{fill:#f1e6f8;stroke:#7d3ca0}\
.main{fill:#f6f0c8;stroke:#857300}.future{fill:#e6f4d6;stroke:#4f7a1c}\
.guard{fill:#fbdcdc;stroke:#b3202c}.alternate{fill:#dcf3ef;stroke:#12766a}.heap{fill:#ecedf0;stroke:#6d737c}\
.free{fill:none;stroke:#a3a8ae;stroke-dasharray:4 3}.line{fill:none;stroke:#8b9098}.dot,.tip{fill:#8b9098}\
.mark{font-weight:600}.code{fill:#4f7a1c}\
@media(prefers-color-scheme:dark){text{fill:#e2e4e8}.soft{fill:#a0a6af}\
.own{fill:#1b3354;stroke:#84b8ff}.one{fill:#4a2c17;stroke:#ffb27a}.two{fill:#3d2550;stroke:#d3a3f0}\
.main{fill:#40390f;stroke:#d9c75a}.future{fill:#2b3d17;stroke:#a9d56f}\
.guard{fill:#571d22;stroke:#ff8a8f}.alternate{fill:#143f3a;stroke:#5fd3c3}.heap{fill:#30343b;stroke:#9aa1ab}\
.free{stroke:#666c75}.code{fill:#a9d56f}}";

/// A picture that grows as it is drawn.
#[derive(Debug)]
pub(super) struct Svg {
    body: String,
    title: String,
    width: f64,
    height: f64,
    /// The things in it that have a colour, by their place in [`THINGS`], with their names.
    things: BTreeMap<usize, String>,
    names: Vec<(String, String)>,
}

/// Whether it is a class of something that has a colour of its own.
pub(super) fn is_thing(class: &str) -> bool {
    THINGS.iter().any(|(thing, _)| *thing == class)
}

impl Svg {
    /// A picture of this width, with the source's title, and its names for things:
    /// `name: one | the stack of start`.
    pub(super) fn new(source: &Source<'_>, width: f64) -> Result<Self, Complaints> {
        let title = source.get("title")?.replace('`', "");
        let names = source.all("name").map(|name| match name.split_once(" | ") {
            Some((thing, name)) if is_thing(thing) => Ok((thing.to_owned(), name.to_owned())),
            _ => Err(vec![format!("`name: {name}` isn't `name: THING | NAME`")]),
        });
        let names = names.collect::<Result<_, _>>()?;
        Ok(Self { body: String::new(), title, width, height: 0.0, things: BTreeMap::new(), names })
    }

    fn put(&mut self, what: impl Display) {
        writeln!(self.body, "{what}").expect("a string takes all");
    }

    /// A box with round corners.
    pub(super) fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, class: &str) {
        if let Some(at) = THINGS.iter().position(|(thing, _)| *thing == class) {
            let name = self.names.iter().find(|(thing, _)| thing == class);
            self.things.insert(at, name.map_or_else(|| THINGS[at].1.to_owned(), |(_, name)| name.clone()));
        }
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

    /// The tip of an arrow that points to the left.
    pub(super) fn tip(&mut self, x: f64, y: f64) {
        self.put(format_args!(r#"<path d="M{x} {y}l8 -4v8z" class="tip"/>"#));
    }

    /// A point.
    pub(super) fn dot(&mut self, x: f64, y: f64) {
        self.put(format_args!(r#"<circle cx="{x}" cy="{y}" r="3.5" class="dot"/>"#));
    }

    /// What each colour means.
    fn legend(&mut self) {
        const ROW: f64 = 20.0;
        let (mut x, mut y) = (0.0, self.height + 12.0);
        for (at, name) in std::mem::take(&mut self.things) {
            let width = 20.0 + 6.6 * name.replace('`', "").chars().count() as f64 + 16.0;
            if x > 0.0 && x + width - 16.0 > self.width {
                (x, y) = (0.0, y + ROW);
            }
            self.rect(x, y, 13.0, 13.0, THINGS[at].0);
            self.text(x + 20.0, y + 11.0, "soft small", &name);
            x += width;
        }
        self.things.clear();
    }

    pub(super) fn finish(mut self) -> String {
        self.legend();
        let Self { body, title, width, height, .. } = self;
        let height = height + 4.0;
        let (whole, title) = (width + 4.0, escaped(&title));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-2 0 {whole} {height}\" width=\"{whole}\" \
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

    #[test]
    fn the_legend_has_what_is_drawn() {
        let source = Source::parse("title: T\nname: one | `start`\n");
        let mut svg = Svg::new(&source, NARROW).unwrap();
        svg.rect(0.0, 0.0, 10.0, 10.0, "one");
        svg.rect(0.0, 20.0, 10.0, 10.0, "guard");
        let drawn = svg.finish();
        assert!(drawn.contains(r#"<tspan class="mono">start</tspan></text>"#), "{drawn}");
        assert!(drawn.contains(">a guard</text>") && !drawn.contains("thread two"), "{drawn}");
        assert!(Svg::new(&Source::parse("title: T\nname: three | x\n"), NARROW).is_err());
    }
}
