//! The turns of the threads, from the output of a program. Each line that a thread has printed is
//! one turn.

use super::source::Source;
use super::svg::Svg;
use crate::complaints::Complaints;
use crate::repo::Repo;

/// A row for each lane and one for `run`, which has a turn between all others.
pub(super) fn draw(repo: &Repo, source: &Source<'_>) -> Result<String, Complaints> {
    const LEFT: f64 = 46.0;
    const BOX: f64 = 34.0;
    const GAP: f64 = 16.0;
    const ROW: f64 = 44.0;
    source.only(&["title", "output", "lane"])?;
    let wrong = |why: &str| vec![why.to_owned()];
    let (file, first, last) = match source.get("output")?.split(' ').collect::<Vec<_>>()[..] {
        [file, first, last] => (file, first.parse::<usize>(), last.parse::<usize>()),
        _ => return Err(wrong("wanted: `output: FILE FIRST LAST`")),
    };
    let (Ok(first), Ok(last)) = (first, last) else {
        return Err(wrong("the first and the last line should be numbers"));
    };
    let output = repo.read(&repo.path(&format!("book/listings/{file}")))?;
    let lanes: Vec<(&str, &str)> = source.all("lane").filter_map(|lane| lane.split_once(", ")).collect();
    let mut turns = Vec::new();
    for line in output.lines().skip(first - 1).take(last + 1 - first) {
        let lane = lanes.iter().position(|(_, prefix)| line.starts_with(prefix));
        let lane = lane.ok_or_else(|| vec![format!("no lane has printed `{line}`")])?;
        turns.push((lane, line[lanes[lane].1.len()..].trim()));
    }
    if turns.len() != last + 1 - first {
        return Err(wrong("the output has fewer lines"));
    }
    let width = LEFT + (BOX + GAP) * turns.len() as f64 + GAP;
    let mut svg = Svg::new(source.get("title")?, width.max(320.0));
    let y_of_run = 50.0;
    let y = |lane: usize| y_of_run + ROW * (lane as f64 + 1.0);
    // The way of the processor: from `run` to a thread and back.
    let mut way = vec![(LEFT, y_of_run)];
    for (index, (lane, _)) in turns.iter().enumerate() {
        let x = LEFT + (BOX + GAP) * index as f64 + GAP;
        way.extend([
            (x - GAP / 2.0, y_of_run),
            (x, y(*lane)),
            (x + BOX, y(*lane)),
            (x + BOX + GAP / 2.0, y_of_run),
        ]);
    }
    way.push((width - GAP / 2.0, y_of_run));
    svg.line(&way);
    for (x, _) in way.iter().filter(|(_, y)| *y == y_of_run).skip(1).take(2 * turns.len()) {
        svg.dot(*x, y_of_run);
    }
    svg.text(0.0, y_of_run + 4.0, "mono", "run");
    for (lane, (name, _)) in lanes.iter().enumerate() {
        svg.text(0.0, y(lane) + 4.0, "mono", name);
    }
    for (index, (lane, what)) in turns.iter().enumerate() {
        let x = LEFT + (BOX + GAP) * index as f64 + GAP;
        svg.rect(x, y(*lane) - 14.0, BOX, 28.0, ["one", "two", "run"][lane % 3]);
        svg.text(x + BOX / 2.0, y(*lane) + 4.0, "middle", what);
    }
    svg.text(LEFT, y(lanes.len()) - 8.0, "soft small", "time ▸");
    Ok(svg.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_those_of_the_output() {
        let repo = Repo::of_files(&[("book/listings/a/expected/a.txt", "one: 1\ntwo: 1\none: 2\nend\n")]);
        let source = |lines: &str| {
            format!("title: T\noutput: a/expected/a.txt {lines}\nlane: one, one:\nlane: two, two:\n")
        };
        let picture = draw(&repo, &Source::parse(&source("1 3"))).unwrap();
        assert_eq!(picture.matches("<rect").count(), 3);
        let other_line = draw(&repo, &Source::parse(&source("1 4"))).unwrap_err();
        assert_eq!(other_line, ["no lane has printed `end`"]);
        assert!(draw(&repo, &Source::parse("title: T\nlane: a, b\n")).is_err());
    }
}
