//! The turns of the threads, from the output of a program. Each line that a thread has printed is
//! one turn.

use super::source::Source;
use super::svg::{NARROW, Svg, WIDE, is_thing};
use super::window::Window;
use crate::complaints::Complaints;
use crate::repo::Repo;

const LEFT: f64 = 46.0;
const BOX: f64 = 26.0;
const GAP: f64 = 12.0;
const ROW: f64 = 40.0;

/// A row for each lane and one for `run`, which has a turn between all others. Where the window
/// ends, time goes on below, as text does.
pub(super) fn draw(repo: &Repo, source: &Source<'_>, window: Window) -> Result<String, Complaints> {
    source.only(&["title", "name", "output", "lane"])?;
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
        // A number that is printed is the turn's number, or it has a tick. Words aren't shown.
        let what = line[lanes[lane].1.len()..].trim().rsplit(' ').next().unwrap_or_default();
        let is_shown = what == "✓" || what.parse::<u32>().is_ok();
        turns.push((lane, if is_shown { what } else { "" }));
    }
    if turns.len() != last + 1 - first {
        return Err(wrong("the output has fewer lines"));
    }
    let width = if window == Window::Wide { WIDE } else { NARROW };
    let fit = ((width - LEFT - GAP) / (BOX + GAP)) as usize;
    // As many in each row, or nearly.
    let rows = turns.len().div_ceil(fit);
    let fit = turns.len().div_ceil(rows);
    let mut svg = Svg::new(source, LEFT + GAP + (BOX + GAP) * fit as f64)?;
    let height = ROW * (lanes.len() as f64 + 1.0) + 16.0;
    for (row, turns) in turns.chunks(fit).enumerate() {
        draw_row(&mut svg, height * row as f64, &lanes, turns, row + 1 == rows);
    }
    Ok(svg.finish())
}

fn draw_row(svg: &mut Svg, top: f64, lanes: &[(&str, &str)], turns: &[(usize, &str)], is_last: bool) {
    let y_of_run = top + 16.0;
    let y = |lane: usize| y_of_run + ROW * (lane as f64 + 1.0);
    let x = |index: usize| LEFT + (BOX + GAP) * index as f64 + GAP;
    // The way of the processor: from `run` to a thread and back.
    let mut way = vec![(LEFT, y_of_run)];
    for (index, (lane, _)) in turns.iter().enumerate() {
        let x = x(index);
        way.extend([
            (x - GAP / 2.0, y_of_run),
            (x, y(*lane)),
            (x + BOX, y(*lane)),
            (x + BOX + GAP / 2.0, y_of_run),
        ]);
    }
    way.push((x(turns.len()), y_of_run));
    svg.line(&way);
    for (x, _) in way.iter().filter(|(_, y)| *y == y_of_run).skip(1).take(2 * turns.len()) {
        svg.dot(*x, y_of_run);
    }
    svg.text(0.0, y_of_run + 4.0, "mono", "run");
    for (lane, (name, _)) in lanes.iter().enumerate() {
        svg.text(0.0, y(lane) + 4.0, "mono", name);
    }
    for (index, (lane, what)) in turns.iter().enumerate() {
        // A lane that is called as a thing has its colour.
        let name = lanes[*lane].0;
        let thing = if is_thing(name) { name } else { "heap" };
        svg.rect(x(index), y(*lane) - 13.0, BOX, 26.0, thing);
        svg.text(x(index) + BOX / 2.0, y(*lane) + 4.0, "middle", what);
    }
    let on = if is_last { "time ▸" } else { "time ▸ it goes on below" };
    svg.text(LEFT + GAP, y(lanes.len()) - 12.0, "soft small", on);
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
        let draw = |source: &str| draw(&repo, &Source::parse(source), Window::Narrow);
        let picture = draw(&source("1 3")).unwrap();
        // Two of them are the legend's.
        assert_eq!(picture.matches("<rect").count(), 5);
        let other_line = draw(&source("1 4")).unwrap_err();
        assert_eq!(other_line, ["no lane has printed `end`"]);
        assert!(draw("title: T\nlane: a, b\n").is_err());
    }
}
