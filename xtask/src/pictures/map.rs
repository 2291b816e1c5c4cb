//! Parts of a running program's memory, as they lie above and below each other.

use std::fmt::Write;

use super::probe::{KEYS, hex, number, value};
use super::source::Source;
use super::svg::{NARROW, Svg, is_thing, wrapped};
use crate::complaints::Complaints;

/// A `part: THING | LOW | HIGH | TEXT`. HIGH may be empty: where the part ends isn't known then.
struct Part<'a> {
    thing: &'a str,
    low: &'a str,
    high: &'a str,
    text: &'a str,
}

fn parts<'a>(source: &Source<'a>) -> Result<Vec<Part<'a>>, Complaints> {
    let parse = |line: &'a str| match line.split('|').map(str::trim).collect::<Vec<_>>()[..] {
        [thing, low, high, text] if is_thing(thing) => Ok(Part { thing, low, high, text }),
        _ => Err(vec![format!("`part: {line}` isn't `part: THING | LOW | HIGH | TEXT`")]),
    };
    source.all("part").map(parse).collect()
}

/// `link: FROM TO | EXPRESSION`, by the numbers of the parts: a pointer that lies in the one and
/// points to the other.
fn links<'a>(source: &Source<'a>) -> Result<Vec<(usize, usize, &'a str)>, Complaints> {
    let parse = |line: &'a str| {
        let (numbers, expression) = line.split_once(" | ")?;
        let (from, to) = numbers.split_once(' ')?;
        Some((from.parse().ok()?, to.parse().ok()?, expression))
    };
    let wrong = |line| vec![format!("`link: {line}` isn't `link: FROM TO | EXPRESSION`")];
    source.all("link").map(|line| parse(line).ok_or_else(|| wrong(line))).collect()
}

/// What gdb is asked.
pub(super) fn questions(source: &Source<'_>) -> Result<String, Complaints> {
    source.only(&[&KEYS[..], &["signal", "part", "mark", "link"]].concat())?;
    let mut questions = String::new();
    for part in parts(source)? {
        let high = if part.high.is_empty() { part.low } else { part.high };
        questions += &(value("LOW", part.low) + &value("HIGH", high));
    }
    for mark in source.all("mark") {
        let (name, place) = mark.split_once(' ').unwrap_or_default();
        questions += &value(&format!("MARK {name}"), place);
    }
    for (from, to, expression) in links(source)? {
        questions += &value(&format!("LINK {from} {to}"), expression);
    }
    Ok(questions)
}

/// The parts from the highest to the lowest with their sizes, `gap` where two aren't neighbours,
/// where the marks are, and the links. No addresses: only their order matters.
pub(super) fn read(source: &Source<'_>, output: &str) -> Option<String> {
    let known = parts(source).ok()?;
    let (mut lows, mut highs, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let mut lines = output.lines();
    while let Some(tag) = lines.next() {
        let answer = number(lines.next()?)?;
        match tag {
            "LOW" => lows.push(answer),
            "HIGH" => highs.push(answer),
            _ => others.push((tag, answer)),
        }
    }
    let mut order: Vec<usize> = (0..known.len()).collect();
    order.sort_by_key(|part| std::cmp::Reverse(*lows.get(*part).unwrap_or(&0)));
    let mut dump = String::new();
    for (row, part) in order.iter().enumerate() {
        let above = row.checked_sub(1).map(|row| order[row]);
        if above.is_some_and(|above| *lows.get(above).unwrap_or(&0) != highs[*part]) {
            writeln!(dump, "gap").ok()?;
        }
        writeln!(dump, "part {part} {:#x}", highs[*part] - lows.get(*part)?).ok()?;
    }
    // The part that begins there, or has the address in it.
    let part_at = |address: u64| {
        let begins = order.iter().find(|part| lows[**part] == address);
        begins.or_else(|| order.iter().find(|part| (lows[**part]..highs[**part]).contains(&address))).copied()
    };
    for (tag, address) in others {
        let part = part_at(address)?;
        match tag.split(' ').collect::<Vec<_>>()[..] {
            ["MARK", name] => {
                writeln!(dump, "mark {name} {part} {:#x}", address.abs_diff(lows[part])).ok()?
            }
            ["LINK", from, to] if to.parse() == Ok(part) => writeln!(dump, "link {from} {to}").ok()?,
            _ => return None,
        }
    }
    Some(dump)
}

/// High addresses are on top. Heights are not to scale.
pub(super) fn draw(source: &Source<'_>, dump: &str) -> Result<String, Complaints> {
    const LEFT: f64 = 58.0;
    const RIGHT: f64 = 34.0;
    const ROW: f64 = 46.0;
    let known = parts(source)?;
    let width = NARROW - LEFT - if source.all("link").next().is_some() { RIGHT } else { 2.0 };
    let mut svg = Svg::new(source, NARROW)?;
    let mut places = vec![0.0; known.len()];
    let (mut y, mut links, mut marks) = (6.0, 0.0, 0);
    svg.text(LEFT, y + 8.0, "soft small", "high addresses ▴");
    y += 18.0;
    for line in dump.lines() {
        let wrong = || vec![format!("the dump has a line `{line}`")];
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["part", number, size] => {
                let number: usize = number.parse().map_err(|_| wrong())?;
                let part = known.get(number).ok_or_else(wrong)?;
                let lines = wrapped(part.text, (width / 6.6) as usize - 3);
                let height = ROW - 16.0 + 16.0 * lines.len() as f64 - if size == "0x0" { 14.0 } else { 0.0 };
                svg.rect(LEFT, y, width, height - 2.0, part.thing);
                for (index, line) in lines.iter().enumerate() {
                    svg.text(LEFT + 10.0, y + 17.0 + 16.0 * index as f64, "", line);
                }
                if let Some(size) = hex(size).filter(|size| *size > 0) {
                    svg.text(LEFT + 10.0, y + height - 9.0, "soft small", &bytes(size));
                }
                places[number] = y + height / 2.0;
                y += height;
            }
            ["gap"] => {
                svg.text(LEFT + width / 2.0, y + 12.0, "soft middle", "⋮");
                y += 20.0;
            }
            ["mark", name, part, _] => {
                let place = part.parse::<usize>().ok().and_then(|part| places.get(part)).ok_or_else(wrong)?;
                svg.text(LEFT - 6.0, place + 4.0, "mark end small", &format!("{name} ▸"));
                marks += 1;
            }
            ["link", from, to] => {
                let place =
                    |part: &str| part.parse::<usize>().ok().and_then(|part| places.get(part)).copied();
                let (from, to) = (place(from).ok_or_else(wrong)?, place(to).ok_or_else(wrong)?);
                let (right, out) = (LEFT + width, LEFT + width + 12.0 + 7.0 * links);
                // Arrows that leave and arrows that arrive at one part don't meet.
                let (from, to) = (from + 6.0, to - 6.0);
                svg.dot(right, from);
                svg.line(&[(right, from), (out, from), (out, to), (right + 8.0, to)]);
                svg.tip(right + 1.0, to);
                links += 1.0;
            }
            ["recorded", ..] => {}
            _ => return Err(wrong()),
        }
    }
    if marks != source.all("mark").count() || links as usize != source.all("link").count() {
        return Err(vec!["the dump has other marks or links".to_owned()]);
    }
    svg.text(LEFT, y + 12.0, "soft small", "low addresses ▾ (not to scale)");
    Ok(svg.finish())
}

fn bytes(size: u64) -> String {
    match size {
        size if size >= 1 << 20 && size.is_multiple_of(1 << 20) => format!("{} MiB", size >> 20),
        size if size >= 1 << 10 && size.is_multiple_of(1 << 10) => format!("{} KiB", size >> 10),
        size => format!("{size} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "title: T\nprogram: a a\npart: guard | a | b | below\npart: one | b | c | the stack\n\
                          part: own | d | | elsewhere\nmark: rsp x\nlink: 2 1 | y\n";
    const OUTPUT: &str = "LOW\n$1 = 0x1000\nHIGH\n$2 = 0x3000\nLOW\n$3 = 0x3000\nHIGH\n$4 = 0x8000\n\
                          LOW\n$5 = 0x10000\nHIGH\n$6 = 0x10000\nMARK rsp\n$7 = 0x2ff8\nLINK 2 1\n$8 = 0x3000\n";
    const DUMP: &str = "part 2 0x0\ngap\npart 1 0x5000\npart 0 0x2000\nmark rsp 0 0x1ff8\nlink 2 1\n";

    #[test]
    fn the_order_is_that_of_the_addresses() {
        let source = Source::parse(SOURCE);
        assert_eq!(read(&source, OUTPUT).unwrap(), DUMP);
        assert!(questions(&source).unwrap().contains("echo LINK 2 1\\n\np/x (y) as usize\n"));
        // A pointer that points elsewhere, and a mark that is nowhere.
        assert_eq!(read(&source, &OUTPUT.replace("$8 = 0x3000", "$8 = 0x1000")), None);
        assert_eq!(read(&source, &OUTPUT.replace("0x2ff8", "0x9000")), None);
    }

    #[test]
    fn a_picture_is_drawn_from_the_dump() {
        let source = Source::parse(SOURCE);
        let picture = draw(&source, DUMP).unwrap();
        for text in [">below<", ">8 KiB<", ">rsp ▸<", ">the stack<", ">a guard<"] {
            assert!(picture.contains(text), "{text}: {picture}");
        }
        assert!(draw(&source, "part 2 0x0\n").is_err());
        assert!(draw(&source, "part 7 0x0\n").is_err());
    }
}
