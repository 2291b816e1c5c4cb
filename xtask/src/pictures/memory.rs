//! Objects in the memory of running programs, with arrows from their pointers to what they point
//! to. They stand side by side, or one below another in a narrow window.

use std::path::Path;

use super::probe::{self, KEYS};
use super::source::Source;
use super::stack::{self, Word, words_of};
use super::svg::{NARROW, Svg, is_thing, wrapped};
use super::window::Window;
use crate::complaints::Complaints;
use crate::repo::Repo;

/// Words from here up to the next part belong together.
struct Part<'a> {
    offset: u64,
    thing: &'a str,
    caption: &'a str,
}

/// The objects, each with the lines from its `program` on, and with those before the first one.
fn objects<'a>(source: &Source<'a>) -> Vec<Source<'a>> {
    let starts = source.lines.iter().enumerate().filter(|(_, (key, _))| *key == "program");
    let starts: Vec<usize> = starts.map(|(index, _)| index).collect();
    let ends = starts.iter().skip(1).copied().chain([source.lines.len()]);
    let lines = |start: usize, end| [&source.lines[..starts[0]], &source.lines[start..end]].concat();
    starts.iter().zip(ends).map(|(start, end)| Source { lines: lines(*start, end) }).collect()
}

/// For each object a line `object`, and its words as in the dump of a stack.
pub(super) fn dump(repo: &Repo, path: &Path, source: &Source<'_>) -> Result<String, Complaints> {
    let mut dump = String::new();
    for object in objects(source) {
        object.only(&[&KEYS[..], &["object", "words", "part"]].concat())?;
        let (words, count) = object.get("words")?.rsplit_once(' ').unwrap_or_default();
        let output = probe::run(repo, path, &object, &format!("x/{count}ga {words}\n"))?;
        let read = stack::read(&object, &output).ok_or_else(|| vec![format!("gdb has said\n{output}")])?;
        dump += &format!("object\n{}", without_static_addresses(&read)?);
    }
    Ok(dump)
}

/// The words without addresses of static data, which are others in each build. Functions have their
/// names, and what lies in the object itself is a few bytes away.
fn without_static_addresses(dump: &str) -> Result<String, Complaints> {
    let words = words_of(dump)?;
    let is_here = |address| words.iter().any(|word| Some(word.address) == address);
    let lines = words.iter().map(|word| {
        let is_static = word.value.starts_with("0x5555") && word.value.len() == 14;
        let value = if is_static && !is_here(word.number()) { "0x5555…" } else { word.value };
        format!("{}\n", format!("word {:#x} {value} {}", word.address, word.symbol).trim_end())
    });
    Ok(lines.collect())
}

/// `part: +0x10 | future | the first one`. The highest comes first.
fn parts<'a>(source: &Source<'a>) -> Result<Vec<Part<'a>>, Complaints> {
    let parse = |line: &'a str| {
        let [offset, thing, caption] = line.split(" | ").collect::<Vec<_>>().try_into().ok()?;
        let offset = u64::from_str_radix(offset.strip_prefix("+0x")?, 16).ok()?;
        is_thing(thing).then_some(Part { offset, thing, caption })
    };
    let wrong = |line| vec![format!("`part: {line}` isn't `part: +0xOFFSET | THING | TEXT`")];
    let parts = source.all("part").map(|line| parse(line).ok_or_else(|| wrong(line)));
    let mut parts = parts.collect::<Result<Vec<_>, _>>()?;
    parts.sort_by_key(|part| std::cmp::Reverse(part.offset));
    Ok(parts)
}

/// High addresses are on top, as in all pictures.
pub(super) fn draw(source: &Source<'_>, dump: &str, window: Window) -> Result<String, Complaints> {
    let objects = objects(source);
    let dumps: Vec<&str> = dump.split("object\n").skip(1).collect();
    if dumps.len() != objects.len() {
        return Err(vec![format!("{} objects, and {} in the dump", objects.len(), dumps.len())]);
    }
    let columns = if window == Window::Wide { objects.len() } else { 1 };
    let mut svg = Svg::new(source, NARROW * columns as f64)?;
    let mut y = 0.0;
    for (index, (object, dump)) in objects.iter().zip(dumps).enumerate() {
        let column = index % columns;
        let end = draw_object(&mut svg, (NARROW * column as f64, y), object, dump)?;
        if column + 1 == columns {
            y = end + 24.0;
        }
    }
    Ok(svg.finish())
}

/// Draws the object with its corner there. A part's caption stands above its words. Returns where
/// the object ends.
fn draw_object(
    svg: &mut Svg,
    (x, mut y): (f64, f64),
    source: &Source<'_>,
    dump: &str,
) -> Result<f64, Complaints> {
    const LEFT: f64 = 44.0;
    const BOX: f64 = 124.0;
    const ROW: f64 = 30.0;
    let left = x + LEFT;
    let words = words_of(dump)?;
    let mut parts = parts(source)?.into_iter().peekable();
    let (mut found, mut middles, mut end) = (0, Vec::new(), u64::MAX);
    svg.text(left, y + 14.0, "strong", source.get("object")?);
    y += 22.0;
    for word in words.iter().rev() {
        let offset = word.address - words[0].address;
        if offset < end {
            end = parts.peek().ok_or_else(|| vec![format!("+{offset:#04x} is in no part")])?.offset;
            for line in wrapped(parts.peek().map_or("", |part| part.caption), 46) {
                svg.text(left, y + 12.0, "soft small", &line);
                y += 15.0;
            }
            y += 4.0;
        }
        svg.rect(left, y, BOX, ROW - 4.0, parts.peek().map_or("free", |part| part.thing));
        if offset == end {
            parts.next();
        }
        let (class, value) =
            if word.symbol.is_empty() { ("mono", word.value) } else { ("mono code", word.symbol) };
        svg.text(left + 8.0, y + 17.5, class, value);
        let meaning = source.all(&format!("+{offset:#04x}")).next().unwrap_or_default();
        found += usize::from(!meaning.is_empty());
        let lines = wrapped(meaning, 26);
        let middle = y + 17.0 - 6.5 * (lines.len() as f64 - 1.0);
        for (index, line) in lines.iter().enumerate() {
            svg.text(left + BOX + 8.0, middle + 13.0 * index as f64, "small", line);
        }
        middles.push((word, y + ROW / 2.0 - 2.0));
        y += ROW;
    }
    draw_arrows(svg, left, &middles);
    let wanted = source.lines.iter().filter(|(key, _)| key.starts_with("+0x")).count();
    if found != wanted {
        return Err(vec![format!("{wanted} words are given a meaning, and {found} of them are in the dump")]);
    }
    svg.text(left, y + 10.0, "soft small", "low addresses");
    Ok(y + 10.0)
}

/// Each pointer to a word of the picture has an arrow. Arrows go round each other.
fn draw_arrows(svg: &mut Svg, left: f64, words: &[(&Word<'_>, f64)]) {
    let mut x = left - 14.0;
    for (from, start) in words {
        let Some((_, end)) = words.iter().find(|(to, _)| Some(to.address) == from.number()) else {
            continue;
        };
        svg.dot(left, *start);
        svg.line(&[(left, *start), (x, *start), (x, *end), (left - 3.0, *end)]);
        svg.line(&[(left - 8.0, end - 4.0), (left - 3.0, *end), (left - 8.0, end + 4.0)]);
        x -= 9.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "object\nword 0x7fff00008000 0x7fff00008010\nword 0x7fff00008008 0x0\n\
                        word 0x7fff00008010 0x5\n";

    fn draw_with(lines: &str) -> Result<String, Complaints> {
        let source = format!("title: T\nprogram: a a\nobject: it\n{lines}");
        draw(&Source::parse(&source), &format!("{DUMP}recorded with tools\n"), Window::Wide)
    }

    #[test]
    fn pointers_are_arrows_and_parts_have_captions() {
        let picture = draw_with(
            "part: +0x00 | own | the lower part\npart: +0x10 | future | the upper part\n+0x10: a number\n",
        )
        .unwrap();
        assert_eq!(picture.matches("<polyline").count(), 2);
        // One of each is in the legend.
        assert_eq!(picture.matches(r#"class="future""#).count(), 2);
        assert_eq!(picture.matches(r#"class="own""#).count(), 3);
        for text in [">it<", ">the upper part<", ">the lower part<", ">a number<", ">0x5<"] {
            assert!(picture.contains(text), "{text}: {picture}");
        }
    }

    #[test]
    fn addresses_of_static_data_are_left_out() {
        let word = "word 0x7fff00008018 0x555555008003";
        let dump = without_static_addresses(&format!("{}{word}\n", &DUMP["object\n".len()..])).unwrap();
        assert!(dump.ends_with("word 0x7fff00008010 0x5\nword 0x7fff00008018 0x5555…\n"), "{dump}");
        assert!(dump.starts_with("word 0x7fff00008000 0x7fff00008010\n"), "{dump}");
    }

    #[test]
    fn objects_stand_side_by_side_where_there_is_room() {
        let object = |name: &str| format!("program: a a\nobject: {name}\npart: +0x00 | own | all\n");
        let source = format!("title: T\nname: own | mine\n{}{}", object("one"), object("two"));
        let source = Source::parse(&source);
        let dump = DUMP.repeat(2);
        let height = |window| {
            let picture = draw(&source, &dump, window).unwrap();
            assert!(picture.contains(">two<") && picture.contains(">mine<"), "{picture}");
            picture
                .split_once("viewBox=\"-2 0 ")
                .unwrap()
                .1
                .split(['"', ' '])
                .nth(1)
                .unwrap()
                .parse::<f64>()
                .unwrap()
        };
        assert!(height(Window::Wide) + 100.0 < height(Window::Narrow));
        assert!(draw(&source, DUMP, Window::Wide).unwrap_err()[0].contains("2 objects, and 1 in the dump"));
    }

    #[test]
    fn parts_must_be_right() {
        let wrong = |lines| draw_with(lines).unwrap_err().concat();
        assert!(wrong("part: +0x10 | pink | the upper part\n").contains("isn't `part:"));
        assert!(wrong("part: +0x10 | own | the upper part\n").contains("+0x08 is in no part"));
        assert!(wrong("part: +0x00 | own | all\n+0x20: a number\n").contains("0 of them are in the dump"));
    }
}
