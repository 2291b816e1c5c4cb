//! Some states of the recorded switch: both stacks, and the one that the processor works on.

use super::source::Source;
use super::svg::{NARROW, Svg, WIDE};
use super::window::Window;
use crate::complaints::Complaints;
use crate::recording::{Recording, Scene};
use crate::repo::Repo;

/// Two states in a row, or one on a phone.
pub(super) fn draw(repo: &Repo, source: &Source<'_>, window: Window) -> Result<String, Complaints> {
    source.only(&["title", "name", "scene", "at"])?;
    draw_from(&Recording::read(repo)?.0, source, window)
}

const WORD: f64 = 22.0;
const BOX: f64 = 126.0;
const STACK: f64 = 172.0;
const PANEL: f64 = WIDE / 2.0;

fn draw_from(recording: &Recording, source: &Source<'_>, window: Window) -> Result<String, Complaints> {
    let name = source.get("scene")?;
    let number = recording.scenes.iter().position(|scene| scene.name == name);
    let number = number.ok_or_else(|| vec![format!("there is no scene `{name}`")])?;
    let (scene, meanings) = (&recording.scenes[number], &recording.meanings()[number]);
    let (width, columns) = if window == Window::Wide { (WIDE, 2) } else { (NARROW, 1) };
    let mut svg = Svg::new(source, width)?;
    for (index, at) in source.all("at").enumerate() {
        let (instruction, caption) =
            at.split_once(" | ").ok_or_else(|| vec![format!("no ` | ` in `{at}`")])?;
        let state = state_after(scene, instruction)?;
        let x = PANEL * (index % columns) as f64;
        let y = 4.0 + 286.0 * (index / columns) as f64;
        svg.text(x + 40.0, y + 10.0, "strong", &format!("{}. {caption}", index + 1));
        for (stack, meanings) in meanings[state].iter().enumerate() {
            let corner = (x + STACK * stack as f64, y + 24.0);
            draw_stack(&mut svg, corner, scene, state, stack, meanings);
        }
    }
    Ok(svg.finish())
}

/// The state behind an instruction, or the one at the beginning.
fn state_after(scene: &Scene, instruction: &str) -> Result<usize, Complaints> {
    if instruction == "begin" {
        return Ok(0);
    }
    // `ret` may be there twice. The last one leaves the function.
    let found = scene.states.iter().rposition(|state| state.instruction == instruction);
    match found {
        Some(index) if index + 1 < scene.states.len() => Ok(index + 1),
        _ => Err(vec![format!("scene `{}` has no `{instruction}`", scene.name)]),
    }
}

fn draw_stack(
    svg: &mut Svg,
    (x, y): (f64, f64),
    scene: &Scene,
    state: usize,
    stack: usize,
    meanings: &[String],
) {
    let pointer = scene.pointers()[state][stack];
    let is_active = scene.current(&scene.states[state]) == stack;
    let owner = ["own", "one"][stack];
    svg.text(x + 40.0, y + 12.0, "soft small", ["the stack of `main`", "that of `start`"][stack]);
    let arrow = if is_active { ("mark end small", "rsp ▸") } else { ("soft end small", "left ▸") };
    let words = meanings.len();
    for (row, index) in (0..=words).rev().enumerate() {
        let y = y + 20.0 + WORD * row as f64;
        if scene.address(stack, index) == pointer {
            svg.text(x + 36.0, y + 14.0, arrow.0, arrow.1);
        }
        let is_used = scene.address(stack, index) >= pointer;
        if index == words {
            svg.text(x + 46.0, y + 14.0, "soft small", "⋯");
        } else {
            svg.rect(x + 40.0, y, BOX, WORD - 3.0, if is_used { owner } else { "free" });
            if is_used {
                svg.text(x + 46.0, y + 14.0, "small", &meanings[index]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_those_of_the_recording() {
        let (recording, _) = Recording::read(&Repo::here()).unwrap();
        let source =
            |line: &str| format!("title: T\nscene: back\nat: begin | It begins\nat: {line} | It goes on\n");
        let draw = |line: &str| draw_from(&recording, &Source::parse(&source(line)), Window::Narrow);
        assert_eq!(draw("mov rsp,rax").unwrap().matches("rsp ▸").count(), 2);
        assert_eq!(draw("mov rsp,rbx").unwrap_err(), ["scene `back` has no `mov rsp,rbx`"]);
    }
}
