//! The recorded switch, which the interactive page plays and from which pictures are drawn.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use crate::complaints::Complaints;
use crate::gdb::Addresses;
use crate::repo::Repo;

/// The registers that are recorded, in their order.
pub(crate) const REGISTERS: [&str; 10] =
    ["rip", "rsp", "rbp", "rbx", "rax", "rdi", "r12", "r13", "r14", "r15"];

/// The number of words that are recorded of each stack.
const WORDS: u64 = 9;

/// The recording, with stable addresses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Recording {
    pub(crate) scenes: Vec<Scene>,
    /// Names of addresses in the code: `switch+33`.
    pub(crate) symbols: BTreeMap<u64, String>,
}

/// One switch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scene {
    pub(crate) name: String,
    /// The place of the saved stack pointer.
    pub(crate) kept_at: u64,
    /// The lowest words that are seen of the stacks of `main` and of `start`.
    pub(crate) lowest: [u64; 2],
    pub(crate) states: Vec<State>,
}

/// The machine before an instruction.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// The function and how many bytes of its code lie before the instruction: `switch+13`.
    pub(crate) place: String,
    /// The line of the source that the instruction was made from, by the debug information.
    pub(crate) line: usize,
    pub(crate) instruction: String,
    /// In the order of [`REGISTERS`].
    pub(crate) registers: Vec<u64>,
    pub(crate) kept: u64,
    /// The words of both stacks, from the lowest address up.
    pub(crate) words: [Vec<u64>; 2],
}

impl Scene {
    /// The address of a word.
    pub(crate) fn address(&self, stack: usize, index: usize) -> u64 {
        self.lowest[stack] + 8 * index as u64
    }

    /// The stack that the processor works on: 0 for that of `main`, 1 for that of `start`.
    pub(crate) fn current(&self, state: &State) -> usize {
        let sp = state.registers[1];
        // `ret` leaves it above the highest word that is recorded.
        usize::from(!(self.lowest[0]..=self.lowest[0] + 8 * WORDS).contains(&sp))
    }

    /// The stack pointers of both stacks in each state. For the stack that isn't used it is the
    /// last one, or the one that was saved at the beginning.
    pub(crate) fn pointers(&self) -> Vec<[u64; 2]> {
        let Some(first) = self.states.first() else {
            return Vec::new();
        };
        let mut pointers = [first.kept; 2];
        let states = self.states.iter();
        states
            .map(|state| {
                pointers[self.current(state)] = state.registers[1];
                pointers
            })
            .collect()
    }
}

impl Recording {
    /// The file of the committed recording.
    pub(crate) fn path(repo: &Repo) -> PathBuf {
        repo.path("book/step/recording.txt")
    }

    /// The committed recording, and the versions of its tools.
    pub(crate) fn read(repo: &Repo) -> Result<(Self, String), Complaints> {
        let path = Self::path(repo);
        let wrong = |why: String| vec![format!("{}: {why}", repo.name(&path))];
        let recorded = repo.read(&path)?;
        let (recording, last) = recorded.trim_end().rsplit_once('\n').unwrap_or_default();
        let versions = last.strip_prefix("recorded with ").ok_or_else(|| wrong("no last line".to_owned()))?;
        Ok((Self::from_text(recording).map_err(wrong)?, versions.to_owned()))
    }

    /// Reads what `book/step/record.gdb` prints.
    pub(crate) fn from_gdb(output: &str) -> Result<Self, String> {
        let mut this = Self::default();
        let mut addresses = Addresses::default();
        let mut lines = output.lines();
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix("SCENE ") {
                this.scenes.push(Scene { name: name.to_owned(), ..Scene::default() });
            } else if line == "STATE" {
                let scene = this.scenes.last_mut().ok_or("a state is outside of scenes")?;
                read_state(&mut lines, scene, &mut this.symbols, &mut addresses)
                    .ok_or_else(|| format!("state {} of scene {}", scene.states.len(), scene.name))?;
            }
        }
        this.scenes.iter_mut().for_each(forget_what_was_there);
        Ok(this)
    }

    /// The same without the leftovers in rax, which may differ from run to run: its value before
    /// `lea` sets it, and the word that is pushed to make room.
    pub(crate) fn without_chance(mut self) -> Self {
        const RAX: usize = 4;
        for scene in &mut self.scenes {
            let chance = scene.states.first().map_or(0, |state| state.registers[RAX]);
            for state in scene.states.iter_mut().take_while(|state| state.registers[RAX] == chance) {
                state.registers[RAX] = 0;
                state.words.iter_mut().flatten().filter(|word| **word == chance).for_each(|word| *word = 0);
            }
        }
        self
    }

    /// The meaning of each word of the stacks, for each scene and state. The instruction that
    /// pushes a word determines it.
    pub(crate) fn meanings(&self) -> Vec<Vec<[Vec<String>; 2]>> {
        let mut known: BTreeMap<u64, String> = BTreeMap::new();
        let mut scenes = Vec::new();
        for (number, scene) in self.scenes.iter().enumerate() {
            let top = WORDS as usize - 1;
            for stack in 0..2 {
                known.insert(scene.address(stack, top), "back to its caller".to_owned());
            }
            if number == 0 {
                // The words that `Stack::new` has written.
                for (index, meaning) in [(top - 1, "where `start` begins"), (top, "no caller")] {
                    known.insert(scene.address(1, index), meaning.to_owned());
                }
            }
            let mut states = Vec::new();
            for (index, state) in scene.states.iter().enumerate() {
                if let Some(before) = index.checked_sub(1).map(|before| &scene.states[before]) {
                    let meaning = match (&*before.instruction, before.instruction.strip_prefix("push ")) {
                        ("mov QWORD PTR [rsp],rdi", _) => Some("other"),
                        // There are two pushes of rax: one before our own assembly begins, and one
                        // in it.
                        ("push rax", _)
                            if scene.states[..index].iter().any(|it| it.instruction == "push rbx") =>
                        {
                            Some("where to go on")
                        }
                        ("push rax", _) => Some("room"),
                        (_, pushed) => pushed,
                    };
                    known.extend(meaning.map(|meaning| (state.registers[1], meaning.to_owned())));
                }
                let of = |stack| {
                    let words = (0..WORDS as usize).map(|index| scene.address(stack, index));
                    words.map(|address| known.get(&address).cloned().unwrap_or_default()).collect()
                };
                states.push([of(0), of(1)]);
            }
            scenes.push(states);
        }
        scenes
    }

    /// The lines of `book/step/recording.txt`.
    pub(crate) fn to_text(&self) -> String {
        let hex = |words: &[u64]| words.iter().map(|word| format!("{word:#x}")).collect::<Vec<_>>().join(" ");
        let mut text = String::new();
        for (address, name) in &self.symbols {
            writeln!(text, "symbol {address:#x} {name}").expect("a string takes all");
        }
        for scene in &self.scenes {
            writeln!(text, "scene {} {:#x} {}", scene.name, scene.kept_at, hex(&scene.lowest))
                .expect("a string takes all");
            for state in &scene.states {
                let State { place, line, instruction, registers, kept, words } = state;
                let [main, start] = words;
                writeln!(text, "state {place} {line} {instruction}\n{}", hex(registers))
                    .expect("a string takes all");
                writeln!(text, "{kept:#x}\n{}\n{}", hex(main), hex(start)).expect("a string takes all");
            }
        }
        text
    }

    /// Reads [`Self::to_text`].
    pub(crate) fn from_text(text: &str) -> Result<Self, String> {
        let mut this = Self::default();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
            let (first, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let wrong = || format!("this can't be read: {line}");
            match what {
                "symbol" => _ = this.symbols.insert(number(first).ok_or_else(wrong)?, rest.to_owned()),
                "scene" => {
                    let [kept_at, main, start] = numbers(rest).ok_or_else(wrong)?[..] else {
                        return Err(wrong());
                    };
                    let name = first.to_owned();
                    this.scenes.push(Scene { name, kept_at, lowest: [main, start], states: Vec::new() });
                }
                "state" => {
                    let mut next = || numbers(lines.next()?);
                    let (source, instruction) = rest.split_once(' ').ok_or_else(wrong)?;
                    let (place, instruction) = (first.to_owned(), instruction.to_owned());
                    let line = source.parse().map_err(|_| wrong())?;
                    let registers = next().ok_or_else(wrong)?;
                    let kept = next().ok_or_else(wrong)?[0];
                    let words = [next().ok_or_else(wrong)?, next().ok_or_else(wrong)?];
                    let scene = this.scenes.last_mut().ok_or_else(wrong)?;
                    scene.states.push(State { place, line, instruction, registers, kept, words });
                }
                _ => return Err(wrong()),
            }
        }
        Ok(this)
    }
}

/// A state, as the script prints it. None if it isn't one.
fn read_state<'a>(
    lines: &mut impl Iterator<Item = &'a str>,
    scene: &mut Scene,
    symbols: &mut BTreeMap<u64, String>,
    addresses: &mut Addresses,
) -> Option<()> {
    // `Line 68 of "switch.rs" starts at address ..`
    let line = lines.next()?.strip_prefix("Line ")?.split(' ').next()?.parse().ok()?;
    // `=> 0x5555 <program::switch+13>:\tpush   rbx`
    let (place, instruction) = lines.next()?.split_once(">:")?;
    let (rip, place) = place.strip_prefix("=> ")?.split_once(" <")?;
    let place = short(place);
    let rip = addresses.rename(number(rip)?);
    symbols.insert(rip, place.clone());
    // gdb prints the address of an operand that is relative to rip, and the name of one that is
    // not.
    let instruction = instruction.split('#').next()?.split_whitespace().collect::<Vec<_>>().join(" ");
    let instruction = match instruction.split_once(" <") {
        Some((jump, symbol)) => {
            format!("{} {}", jump.split(' ').next()?, short(symbol.trim_end_matches('>')))
        }
        None => instruction,
    };
    let registers = numbers(lines.next()?.strip_prefix("registers ")?)?;
    let registers: Vec<u64> = registers.into_iter().map(|value| addresses.rename(value)).collect();
    let mut memory = |name: &str, count: usize, symbols: &mut BTreeMap<u64, String>| {
        (lines.next()? == name).then_some(())?;
        read_words(lines, count, symbols, addresses)
    };
    let (kept_at, kept) = memory("kept", 1, symbols)?;
    let (main, words_of_main) = memory("main", WORDS as usize, symbols)?;
    let (start, words_of_start) = memory("start", WORDS as usize, symbols)?;
    scene.kept_at = kept_at;
    scene.lowest = [main, start];
    let words = [words_of_main, words_of_start];
    scene.states.push(State { place, line, instruction, registers, kept: kept[0], words });
    Some(())
}

/// Lines of `0x7fff:\t0x5555 <program::switch+33>\t0x0`: the first address, and the words.
fn read_words<'a>(
    lines: &mut impl Iterator<Item = &'a str>,
    count: usize,
    symbols: &mut BTreeMap<u64, String>,
    addresses: &mut Addresses,
) -> Option<(u64, Vec<u64>)> {
    let mut first = None;
    let mut words = Vec::new();
    while words.len() < count {
        let (address, found) = lines.next()?.split_once(":\t")?;
        first = first.or(Some(addresses.rename(number(address.split(' ').next()?)?)));
        for word in found.split('\t') {
            let (value, symbol) = word.split_once(' ').unwrap_or((word, ""));
            let value = addresses.rename(number(value)?);
            let symbol = symbol.trim_start_matches('<').trim_end_matches('>');
            // Words that earlier calls have left are not ours.
            if symbol.starts_with("there_and_back::") {
                symbols.insert(value, short(symbol));
            }
            words.push(value);
        }
    }
    Some((first?, words))
}

/// `switch+33` for `there_and_back::switch+33`.
fn short(symbol: &str) -> String {
    let name = symbol.rsplit("::").next().unwrap_or(symbol);
    if name.contains('+') { name.to_owned() } else { format!("{name}+0") }
}

/// Words below the stack pointer that are never written in the scene are leftovers of earlier
/// calls, and may differ from run to run. They become 0.
fn forget_what_was_there(scene: &mut Scene) {
    let pointers = scene.pointers();
    for stack in 0..2 {
        for index in 0..WORDS as usize {
            let address = scene.address(stack, index);
            for (state, pointers) in scene.states.iter_mut().zip(&pointers) {
                if address >= pointers[stack] {
                    break;
                }
                state.words[stack][index] = 0;
            }
        }
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn numbers(text: &str) -> Option<Vec<u64>> {
    text.split_whitespace().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let state = State {
            place: "switch+0".to_owned(),
            line: 68,
            instruction: "push r15".to_owned(),
            registers: vec![1; 10],
            kept: 7,
            words: [vec![2; 9], vec![3; 9]],
        };
        let scene =
            Scene { name: "first".to_owned(), kept_at: 8, lowest: [0x100, 0x200], states: vec![state] };
        let symbols = [(9, "switch+33".to_owned())].into();
        let recording = Recording { scenes: vec![scene], symbols };
        assert_eq!(Recording::from_text(&recording.to_text()).unwrap(), recording);
        assert!(Recording::from_text("nonsense").is_err());
    }

    #[test]
    fn what_was_there_before_is_forgotten() {
        let state = |sp, words| State {
            registers: vec![0, sp],
            words: [vec![words; 9], vec![5; 9]],
            kept: 0x1000,
            ..State::default()
        };
        let states = vec![state(0x108, 3), state(0x100, 4)];
        let mut scene = Scene { lowest: [0x100, 0x1000], states, ..Scene::default() };
        forget_what_was_there(&mut scene);
        assert_eq!(scene.states[0].words[0][..2], [0, 3]);
        assert_eq!(scene.states[1].words[0][..2], [4, 4]);
    }
}
