//! The interactive page plays a recording of chapter 5's program that is true today.
//!
//! `book/step/record.gdb` walks through three switches. `recording.txt` is the recording, and
//! `texts.txt` explains each instruction. The page reads both, and the lines of the source, from
//! `book/src/step/recording.js`, so that it works from disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use crate::complaints::{Complaints, Outcome, outcome};
use crate::gdb;
use crate::listing::Program;
use crate::recording::{REGISTERS, Recording, Scene};
use crate::repo::Repo;

pub(super) fn check(repo: &Repo) -> Outcome {
    let mut complaints = Vec::new();
    let (recording, versions) = Recording::read(repo)?;
    let script = script_now(repo, &recording)?;
    if repo.read(&script_path(repo))? != script {
        complaints.push("book/src/step/recording.js: `cargo xtask step --record` makes another".to_owned());
    }
    let steps: usize = recording.scenes.iter().map(|scene| scene.states.len() - 1).sum();
    let now = gdb::versions(repo)?;
    let mut found = format!("{steps} instructions recorded, each of them explained");
    let seen = record_now(repo)?;
    if versions == now {
        if seen.without_chance() != recording.without_chance() {
            complaints.push("book/step/recording.txt: the program switches in another way".to_owned());
        }
    } else {
        found += &format!("; not compared, since recorded with {versions}");
    }
    outcome(complaints, || found)
}

pub(super) fn record(repo: &Repo, _which: &[&str]) -> Outcome {
    let recording = record_now(repo)?;
    let text = format!("{}recorded with {}\n", recording.to_text(), gdb::versions(repo)?);
    repo.write(&Recording::path(repo), text)?;
    repo.write(&script_path(repo), script_now(repo, &recording)?)?;
    Ok("recorded: book/step/recording.txt, and book/src/step/recording.js made from it".to_owned())
}

fn texts_path(repo: &Repo) -> PathBuf {
    repo.path("book/step/texts.txt")
}

fn script_path(repo: &Repo) -> PathBuf {
    repo.path("book/src/step/recording.js")
}

fn record_now(repo: &Repo) -> Result<Recording, Complaints> {
    let program = Program::named(repo, "the-switch there-and-back")?;
    let output = gdb::run(repo, &program, &repo.path("book/step/record.gdb"))?;
    Recording::from_gdb(&output).map_err(|why| vec![format!("book/step/record.gdb: {why}")])
}

fn script_now(repo: &Repo, recording: &Recording) -> Result<String, Complaints> {
    let source = repo.read(&repo.path("book/listings/the-switch/src/bin/there-and-back.rs"))?;
    script(recording, &repo.read(&texts_path(repo))?, &source)
}

/// The recording with its texts and its lines, for the page.
fn script(recording: &Recording, texts: &str, source: &str) -> Result<String, Complaints> {
    let places = lines(recording, source)?;
    let source: Vec<&str> = source.lines().collect();
    let texts = Texts::parse(texts);
    let mut used = Vec::new();
    let mut script =
        "// Made by `cargo xtask step --record` from book/step. All numbers are hexadecimal.\n".to_owned();
    let mut line = |text: &str| writeln!(script, "{text}").expect("a string takes all");
    line("const RECORDING = {");
    line(&format!("registers: {},", list(&REGISTERS)));
    let symbols =
        recording.symbols.iter().map(|(address, name)| format!("\"{address:x}\": {}", quoted(name)));
    line(&format!("symbols: {{{}}},", symbols.collect::<Vec<_>>().join(", ")));
    let numbers = places.iter().map(|(place, number)| format!("{}: {number}", quoted(place)));
    line(&format!("lines: {{{}}},", numbers.collect::<Vec<_>>().join(", ")));
    let shown: BTreeSet<usize> = places.values().copied().collect();
    let shown = shown.iter().map(|number| {
        format!("{number}: {}", quoted(source.get(number - 1).copied().unwrap_or_default().trim()))
    });
    line(&format!("source: {{{}}},", shown.collect::<Vec<_>>().join(", ")));
    line("scenes: [");
    let mut complaints = Vec::new();
    for (scene, meanings) in recording.scenes.iter().zip(recording.meanings()) {
        let Some((title, [here, there])) = texts.scene(&scene.name) else {
            complaints.push(format!("book/step/texts.txt: nothing of scene {}", scene.name));
            continue;
        };
        line(&format!("{{title: {}, from: {here}, to: {there},", quoted(title)));
        line(&format!("keptAt: \"{:x}\", lowest: {},", scene.kept_at, hex(&scene.lowest)));
        line("states: [");
        let who = ["`main`", "`start`"];
        for (index, pointers) in scene.pointers().iter().enumerate() {
            let text = texts.of(scene, index, &mut used).unwrap_or_else(|wanted| {
                complaints.push(format!("book/step/texts.txt: no text for `{wanted}`"));
                String::new()
            });
            let text = text.replace("{here}", who[here]).replace("{there}", who[there]);
            let state = &scene.states[index];
            line(&format!("{{place: {}, instruction: {},", quoted(&state.place), quoted(&state.instruction)));
            line(&format!(" text: {},", quoted(&text)));
            line(&format!(" registers: {}, kept: \"{:x}\",", hex(&state.registers), state.kept));
            let [main, start] = &state.words;
            line(&format!(" pointers: {}, words: [{}, {}],", hex(pointers), hex(main), hex(start)));
            let [main, start] = &meanings[index];
            line(&format!(" meanings: [{}, {}]}},", list(main), list(start)));
        }
        line("]},");
    }
    line("]};");
    let unused = texts.lines.iter().filter(|(key, _)| !used.contains(key));
    complaints.extend(unused.map(|(key, _)| format!("book/step/texts.txt: nothing happens at `{key}`")));
    outcome(complaints, || script)
}

/// The line of the source for each place. The debug information has one line for a whole `asm!`:
/// the one where it begins. In there, the instructions are those of the template, in their order.
fn lines(recording: &Recording, source: &str) -> Result<BTreeMap<String, usize>, Complaints> {
    let mut places = BTreeMap::new();
    for state in recording.scenes.iter().flat_map(|scene| &scene.states) {
        let offset = state.place.split_once('+').and_then(|(_, offset)| offset.parse::<u64>().ok());
        places.insert(offset.filter(|_| state.place.starts_with("switch+")).ok_or(&state.place), state);
    }
    let mut template = Vec::new();
    let mut known = BTreeMap::new();
    for (_, state) in places {
        let text = source.lines().nth(state.line.wrapping_sub(1)).unwrap_or_default().trim();
        let mut line = state.line;
        if text == "asm!(" {
            if template.is_empty() {
                template = instructions(source, state.line);
                template.reverse();
            }
            let (number, instruction) = template.pop().unwrap_or_default();
            let names = |text: &str| text.split(' ').next().map(str::to_owned);
            if names(instruction) != names(&state.instruction) {
                return Err(vec![format!(
                    "{}: `{}` isn't the template's `{instruction}`",
                    state.place, state.instruction
                )]);
            }
            line = number;
        }
        known.insert(state.place.clone(), line);
    }
    Ok(known)
}

/// The instructions of the template of an `asm!` that begins in this line, with their lines.
fn instructions(source: &str, begin: usize) -> Vec<(usize, &str)> {
    let lines = source.lines().enumerate().skip(begin).take_while(|(_, line)| line.trim().starts_with('"'));
    let texts =
        lines.flat_map(|(index, line)| line.split('"').skip(1).step_by(2).map(move |it| (index + 1, it)));
    texts.filter(|(_, text)| !text.ends_with(':')).collect()
}

/// The lines of `texts.txt`.
#[derive(Debug)]
struct Texts<'a> {
    scenes: Vec<(&'a str, &'a str)>,
    lines: Vec<(&'a str, &'a str)>,
}

impl<'a> Texts<'a> {
    fn parse(text: &'a str) -> Self {
        let lines =
            text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
        let (scenes, lines): (Vec<_>, Vec<_>) = lines.partition(|(key, _)| key.starts_with("scene "));
        let scenes = scenes.into_iter().map(|(key, text)| (&key["scene ".len()..], text)).collect();
        Self { scenes, lines }
    }

    /// The title of a scene, and the stacks that are left and gone to.
    fn scene(&self, name: &str) -> Option<(&'a str, [usize; 2])> {
        self.scenes.iter().find_map(|(key, title)| {
            let [found, here, there] = key.split(' ').collect::<Vec<_>>()[..] else {
                return None;
            };
            (found == name).then_some((*title, [here.parse().ok()?, there.parse().ok()?]))
        })
    }

    /// The text of a state: how the scene begins, or the instruction that has led here. The last
    /// one may be followed by how the scene ends.
    fn of(&self, scene: &Scene, index: usize, used: &mut Vec<&'a str>) -> Result<String, String> {
        let mut find = |key: &str| {
            let key = [format!("{}/{key}", scene.name), key.to_owned()];
            let found = key.iter().find_map(|key| self.lines.iter().find(|(found, _)| found == key));
            used.extend(found.map(|(key, _)| key));
            found.map(|(_, text)| (*text).to_owned())
        };
        let Some(before) = index.checked_sub(1) else {
            return find("begin").ok_or_else(|| format!("{}/begin", scene.name));
        };
        let state = &scene.states[before];
        let key = format!("{} {}", state.place, state.instruction);
        let mut text = find(&key).ok_or(key)?;
        if index + 1 == scene.states.len()
            && let Some(end) = find("end")
        {
            text = format!("{text} {end}");
        }
        Ok(text)
    }
}

fn hex(numbers: &[u64]) -> String {
    list(&numbers.iter().map(|number| format!("{number:x}")).collect::<Vec<_>>())
}

fn list(texts: &[impl AsRef<str>]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text.as_ref())).collect::<Vec<_>>().join(", "))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::State;

    fn recording() -> Recording {
        let state = |place: &str, instruction: &str| State {
            place: place.to_owned(),
            line: 2,
            instruction: instruction.to_owned(),
            registers: vec![0x100; 10],
            kept: 0x200,
            words: [vec![0; 9], vec![0; 9]],
        };
        let states = vec![state("switch+0", "push r15"), state("switch+2", "ret"), state("run+9", "jmp")];
        let scene = Scene { name: "back".to_owned(), kept_at: 8, lowest: [0x100, 0x200], states };
        Recording { scenes: vec![scene], symbols: Default::default() }
    }

    const SOURCE: &str =
        "fn switch() {\nasm!(\n\"push r15\",\n\"2:\", \"ret\", \"jmp 2b\",\nout(\"rax\") _,\n);\n}\n";
    const TEXTS: &str =
        "scene back 1 0: Back\nback/begin: So.\nswitch+0 push r15: {here}\nback/switch+2 ret: {there}\n";

    #[test]
    fn the_page_has_the_recording_and_the_texts() {
        let repo = Repo::here();
        let (recording, _) = Recording::read(&repo).unwrap();
        let made = script_now(&repo, &recording).unwrap();
        assert!(repo.read(&script_path(&repo)).unwrap() == made, "`cargo xtask step --record` makes another");
    }

    #[test]
    fn each_instruction_has_its_text() {
        let script = script(&recording(), TEXTS, SOURCE).unwrap();
        let texts: Vec<&str> = script.lines().filter_map(|line| line.strip_prefix(" text: ")).collect();
        assert_eq!(texts, ["\"So.\",", "\"`start`\",", "\"`main`\","]);
    }

    #[test]
    fn instructions_of_a_template_have_their_own_lines() {
        assert_eq!(instructions(SOURCE, 2), [(3, "push r15"), (4, "ret"), (4, "jmp 2b")]);
        let found = lines(&recording(), SOURCE).unwrap();
        assert_eq!(
            found,
            [("run+9", 4), ("switch+0", 3), ("switch+2", 4)].map(|(a, b)| (a.to_owned(), b)).into()
        );
        let other = lines(&recording(), &SOURCE.replace("push r15", "pop r15")).unwrap_err();
        assert_eq!(other, ["switch+0: `push r15` isn't the template's `pop r15`"]);
    }

    #[test]
    fn an_instruction_without_a_text_is_found_and_a_text_without_an_instruction() {
        let fewer = TEXTS.replace("switch+0 push r15", "switch+0 push r14");
        let complaints = script(&recording(), &fewer, SOURCE).unwrap_err();
        assert!(complaints[0].contains("no text for `switch+0 push r15`"), "{complaints:?}");
        assert!(complaints[1].contains("nothing happens at `switch+0 push r14`"), "{complaints:?}");
        assert!(script(&recording(), "", SOURCE).unwrap_err()[0].contains("nothing of scene back"));
    }
}
