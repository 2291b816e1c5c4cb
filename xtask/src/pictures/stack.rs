//! Words of a stack, as gdb finds them in a running program.

use std::fmt::Write;

use super::probe::{KEYS, hex, value};
use super::source::Source;
use super::svg::{NARROW, Svg, is_thing, wrapped};
use crate::complaints::Complaints;
use crate::gdb::Addresses;

/// What gdb is asked.
pub(super) fn questions(source: &Source<'_>) -> Result<String, Complaints> {
    source.only(&[&KEYS[..], &["owner", "words", "mark"]].concat())?;
    let (words, count) = source.get("words")?.rsplit_once(' ').unwrap_or_default();
    let mut questions = format!("x/{count}ga {words}\n");
    for mark in source.all("mark") {
        let (name, place) = mark.split_once(' ').unwrap_or_default();
        questions += &value(&format!("MARK {name}"), place);
    }
    Ok(questions)
}

/// Lines of `word ADDRESS VALUE SYMBOL` and of `mark NAME ADDRESS`.
pub(super) fn read(_source: &Source<'_>, output: &str) -> Option<String> {
    let mut addresses = Addresses::default();
    let mut dump = String::new();
    let mut mark = None;
    for line in output.lines() {
        if let Some(name) = line.strip_prefix("MARK ") {
            mark = Some(name);
        } else if let Some(name) = mark.take() {
            let (_, address) = line.split_once(" = ")?;
            writeln!(dump, "mark {name} {}", addresses.renamed(address)).ok()?;
        } else {
            let (address, words) = line.split_once(":\t")?;
            let first = hex(address.split(' ').next()?)?;
            for (index, word) in words.split('\t').enumerate() {
                let (value, symbol) = word.split_once(" <").unwrap_or((word, ""));
                let address = addresses.rename(first + 8 * index as u64);
                let value = addresses.renamed(value);
                let symbol = symbol.trim_end_matches('>').rsplit("::").next()?;
                writeln!(dump, "{}", format!("word {address:#x} {value} {symbol}").trim_end()).ok()?;
            }
        }
    }
    Some(dump)
}

/// A word of a dump.
pub(super) struct Word<'a> {
    pub(super) address: u64,
    pub(super) value: &'a str,
    pub(super) symbol: &'a str,
}

impl<'a> Word<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut parts = line.strip_prefix("word ")?.split(' ');
        let (address, value) = (hex(parts.next()?)?, parts.next()?);
        Some(Self { address, value, symbol: parts.next().unwrap_or_default() })
    }

    /// The value, as a number.
    pub(super) fn number(&self) -> Option<u64> {
        hex(self.value)
    }
}

/// The words of a dump. There is at least one.
pub(super) fn words_of(dump: &str) -> Result<Vec<Word<'_>>, Complaints> {
    let words: Vec<Word<'_>> = dump.lines().filter_map(Word::parse).collect();
    if words.is_empty() { Err(vec!["the dump has no words".to_owned()]) } else { Ok(words) }
}

/// High addresses are on top: a stack grows downwards.
pub(super) fn draw(source: &Source<'_>, dump: &str) -> Result<String, Complaints> {
    const LEFT: f64 = 54.0;
    const BOX: f64 = NARROW - LEFT - 46.0;
    let owner = source.get("owner")?;
    if !is_thing(owner) {
        return Err(vec![format!("`owner: {owner}` is nothing that has a colour")]);
    }
    let words = words_of(dump)?;
    let first = words[0].address;
    let marks = dump.lines().filter_map(|line| line.strip_prefix("mark ")?.split_once(' '));
    let marks: Vec<(&str, Option<u64>)> = marks.map(|(name, address)| (name, hex(address))).collect();
    let mut svg = Svg::new(source, NARROW)?;
    let mut y = 2.0;
    let mut found = 0;
    for word in words.iter().rev() {
        let offset = format!("+{:#04x}", word.address - first);
        let meaning = source.all(&offset).next().unwrap_or_default();
        found += usize::from(!meaning.is_empty());
        let lines = if meaning.is_empty() { Vec::new() } else { wrapped(meaning, 36) };
        let height = 26.0 + 16.0 * lines.len() as f64;
        svg.rect(LEFT, y, BOX, height, owner);
        let (class, value) =
            if word.symbol.is_empty() { ("mono", word.value) } else { ("mono code", word.symbol) };
        svg.text(LEFT + 10.0, y + 17.0, class, value);
        svg.text(LEFT + BOX + 5.0, y + 17.0, "mono soft small", &offset);
        let here = marks.iter().filter(|(_, address)| *address == Some(word.address));
        for (index, (name, _)) in here.enumerate() {
            svg.text(LEFT - 5.0, y + 17.0 + 15.0 * index as f64, "mark end small", &format!("{name} ▸"));
        }
        for (index, line) in lines.iter().enumerate() {
            svg.text(LEFT + 10.0, y + 34.0 + 16.0 * index as f64, "", line);
        }
        y += height + 4.0;
    }
    let wanted = source.lines.iter().filter(|(key, _)| key.starts_with("+0x")).count();
    if found != wanted {
        return Err(vec![format!("{wanted} words are given a meaning, and {found} of them are in the dump")]);
    }
    svg.text(LEFT, y + 12.0, "soft small", "low addresses; the stack grows this way ▾");
    Ok(svg.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "0x7ffff7db0fe0:\t0x55555556d690 <two_hundred_lines::start>\t0x0\n\
                          0x7ffff7db0ff0:\t0x0\nMARK rsp\n$1 = 0x7ffff7db0fe8\n";
    const DUMP: &str = "word 0x7fff00008000 0x555555008000 start\nword 0x7fff00008008 0x0\n\
                        word 0x7fff00008010 0x0\nmark rsp 0x7fff00008008\n";

    #[test]
    fn what_gdb_has_found() {
        let source = Source::parse("");
        assert_eq!(read(&source, OUTPUT).unwrap(), DUMP);
        assert_eq!(read(&source, "nothing\n"), None);
    }

    #[test]
    fn a_picture_is_drawn_from_the_dump_and_the_meanings() {
        let source = Source::parse("title: A stack\nowner: one\n+0x00: goes on here\n");
        let picture = draw(&source, DUMP).unwrap();
        for text in [">goes on here<", ">start<", ">rsp ▸<", "<title>A stack</title>", ">thread one’s stack<"]
        {
            assert!(picture.contains(text), "{text}: {picture}");
        }
        let elsewhere = Source::parse("title: A stack\nowner: one\n+0x28: no such word\n");
        assert!(draw(&elsewhere, DUMP).unwrap_err()[0].contains("0 of them are in the dump"));
    }
}
