//! Words of a stack, as gdb finds them in a running program.

use std::fmt::Write;
use std::path::Path;

use super::source::Source;
use super::svg::{Svg, wrapped};
use crate::complaints::Complaints;
use crate::gdb::{self, Addresses};
use crate::listing::Program;
use crate::repo::Repo;

/// Runs the program of a source, and returns the text for its `.dump`.
pub(crate) fn dump(repo: &Repo, path: &Path) -> Result<String, Complaints> {
    let text = repo.read(path)?;
    let source = Source::parse(&text);
    source.only(&["title", "program", "stop", "gdb", "words", "mark"])?;
    let program = Program::named(repo, source.get("program")?)?;
    let script =
        repo.target().join("pictures").join(path.with_extension("gdb").file_name().unwrap_or_default());
    repo.write(&script, commands(&source)?)?;
    let output = gdb::run(repo, &program, &script)?;
    read(&output).ok_or_else(|| vec![format!("{}: gdb has said something else\n{output}", repo.name(path))])
}

fn commands(source: &Source<'_>) -> Result<String, Complaints> {
    let mut script = "set trace-commands off\n".to_owned();
    let mut line = |text: &str| writeln!(script, "{text}").expect("a string takes all");
    let mut go = "run";
    for (key, value) in &source.lines {
        match *key {
            "stop" => {
                line(&format!("tbreak {value}\n{go}"));
                go = "continue";
            }
            "gdb" => line(value),
            _ => {}
        }
    }
    let (words, count) = source.get("words")?.rsplit_once(' ').unwrap_or_default();
    line(&format!("echo WORDS\\n\nx/{count}ga {words}"));
    for mark in source.all("mark") {
        let (name, place) = mark.split_once(' ').unwrap_or_default();
        line(&format!("echo MARK {name}\\n\np/x ({place}) as usize"));
    }
    line("echo END\\n");
    Ok(script)
}

/// Lines of `word ADDRESS VALUE SYMBOL` and of `mark NAME ADDRESS`.
fn read(output: &str) -> Option<String> {
    let (_, output) = output.split_once("WORDS\n")?;
    let (output, _) = output.split_once("END\n")?;
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

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

struct Word<'a> {
    address: u64,
    value: &'a str,
    symbol: &'a str,
}

/// High addresses are on top: a stack grows downwards.
pub(super) fn draw(source: &Source<'_>, dump: &str) -> Result<String, Complaints> {
    const BOX: f64 = 150.0;
    const LEFT: f64 = 66.0;
    const ROW: f64 = 36.0;
    let (mut words, mut marks) = (Vec::new(), Vec::new());
    for line in dump.lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        match parts[..] {
            ["word", address, value, ref symbol @ ..] => {
                let address = hex(address).ok_or_else(|| vec![format!("no address: {line}")])?;
                words.push(Word { address, value, symbol: symbol.first().copied().unwrap_or_default() });
            }
            ["mark", name, address] => marks.push((name, hex(address))),
            _ => {}
        }
    }
    let Some(first) = words.first().map(|word| word.address) else {
        return Err(vec!["the dump has no words".to_owned()]);
    };
    let mut svg = Svg::new(source.get("title")?, 640.0);
    let mut y = 34.0;
    let mut found = 0;
    for word in words.iter().rev() {
        let offset = format!("+{:#04x}", word.address - first);
        let meaning = source.all(&offset).next().unwrap_or_default();
        found += usize::from(!meaning.is_empty());
        svg.rect(LEFT, y, BOX, ROW - 4.0, "one");
        let (class, value) =
            if word.symbol.is_empty() { ("mono", word.value) } else { ("mono code", word.symbol) };
        svg.text(LEFT + 10.0, y + 20.0, class, value);
        svg.text(LEFT + BOX + 8.0, y + 20.0, "mono soft small", &offset);
        for (name, address) in &marks {
            if *address == Some(word.address) {
                svg.text(LEFT - 6.0, y + 20.0, "mark end", &format!("{name} ▸"));
            }
        }
        let lines = wrapped(meaning, 48);
        let middle = y + 20.0 - 7.0 * (lines.len() as f64 - 1.0);
        for (index, line) in lines.iter().enumerate() {
            svg.text(LEFT + BOX + 60.0, middle + 15.0 * index as f64, "", line);
        }
        y += ROW;
    }
    let wanted = source.lines.iter().filter(|(key, _)| key.starts_with("+0x")).count();
    if found != wanted {
        return Err(vec![format!("{wanted} words are given a meaning, and {found} of them are in the dump")]);
    }
    svg.text(LEFT, y + 14.0, "soft small", "low addresses; the stack grows in this direction ▾");
    Ok(svg.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "noise\nWORDS\n0x7ffff7db0fe0:\t0x55555556d690 <two_hundred_lines::start>\t0x0\n\
                          0x7ffff7db0ff0:\t0x0\nMARK rsp\n$1 = 0x7ffff7db0fe8\nEND\n";
    const DUMP: &str = "word 0x7fff00008000 0x555555008000 start\nword 0x7fff00008008 0x0\n\
                        word 0x7fff00008010 0x0\nmark rsp 0x7fff00008008\n";

    #[test]
    fn what_gdb_has_found() {
        assert_eq!(read(OUTPUT).unwrap(), DUMP);
        assert_eq!(read("WORDS\nnothing\nEND\n"), None);
    }

    #[test]
    fn a_picture_is_drawn_from_the_dump_and_the_meanings() {
        let source = Source::parse("title: A stack\n+0x00: goes on here\n");
        let picture = draw(&source, DUMP).unwrap();
        for text in [">goes on here<", ">start<", ">rsp ▸<", "<title>A stack</title>"] {
            assert!(picture.contains(text), "{text}: {picture}");
        }
        let elsewhere = Source::parse("title: A stack\n+0x28: no such word\n");
        assert!(draw(&elsewhere, DUMP).unwrap_err()[0].contains("0 of them are in the dump"));
    }
}
