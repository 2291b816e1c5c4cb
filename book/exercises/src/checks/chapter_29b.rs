//! Frames that are copied to the heap, and back one by one.

use crate::solution::{Profile, Solution, Verdict, compare};

/// A way to do it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Right,
    AllBack,
    HeapReplaced,
    OrderTurned,
    NativeCopied,
    OnlyTopAsked,
    OldestNamed,
    PinnedTooLate,
    NothingBelow,
}

/// The wrong ways, and what to say of them.
const HINTS: &[(Way, &str)] = &[
    (
        Way::AllBack,
        "All frames were copied back at once. A thread that is a hundred frames deep, and waits again \
         in the newest, would copy two hundred. Leave the older ones until they're returned to.",
    ),
    (
        Way::HeapReplaced,
        "Frames are lost: those that were on the heap already are still needed when the thread is \
         unmounted again.",
    ),
    (Way::OrderTurned, "The frames on the heap are older than those on the stack, and stand before them."),
    (Way::NativeCopied, "A native frame was copied. It may hold addresses of itself that nobody knows of."),
    (Way::OnlyTopAsked, "A native frame pins the thread wherever it is on the stack, and not only on top."),
    (Way::OldestNamed, "Of several native frames, the newest is to be named."),
    (
        Way::PinnedTooLate,
        "Some frames had been copied before the native one was found. Look first, then copy.",
    ),
    (
        Way::NothingBelow,
        "A function has returned, and its caller isn't there: when the last frame on the stack is \
         gone, the next has to come from the heap.",
    ),
];

/// Scripts: what happens, one word each.
const SCRIPTS: &[&str] = &[
    "main talk unmount mount return return",
    "main talk read unmount mount parse return return return",
    "main talk read unmount mount unmount mount return unmount mount log unmount mount return return return",
    "main native:sort compare unmount return return unmount mount",
    "main talk unmount mount native:sort unmount compare native:zip unmount return return return return",
];

#[derive(Default)]
struct Thread<'a> {
    stack: Vec<&'a str>,
    heap: Vec<&'a str>,
}

const NATIVE: &str = "native:";

impl Thread<'_> {
    fn unmount(&mut self, way: Way) -> Result<usize, String> {
        let is_native = |name: &&&str| name.starts_with(NATIVE);
        let found = match way {
            Way::NativeCopied => None,
            Way::OnlyTopAsked => self.stack.last().filter(is_native),
            Way::OldestNamed => self.stack.iter().find(is_native),
            _ => self.stack.iter().rev().find(is_native),
        };
        if let Some(native) = found.copied() {
            if way == Way::PinnedTooLate {
                let place = self.stack.iter().position(|it| *it == native).unwrap_or_default();
                self.heap.extend(self.stack.drain(..place));
            }
            return Err(native.trim_start_matches(NATIVE).to_owned());
        }
        let copied = self.stack.len();
        match way {
            Way::HeapReplaced => self.heap = std::mem::take(&mut self.stack),
            Way::OrderTurned => drop(self.heap.splice(0..0, self.stack.drain(..))),
            _ => self.heap.append(&mut self.stack),
        }
        Ok(copied)
    }

    fn mount(&mut self, way: Way) -> usize {
        if way == Way::AllBack {
            self.stack.append(&mut self.heap);
        } else {
            self.stack.extend(self.heap.pop());
        }
        self.stack.len()
    }

    fn leave(&mut self, way: Way) -> usize {
        self.stack.pop();
        if self.stack.is_empty() && way != Way::NothingBelow { self.mount(way) } else { 0 }
    }
}

/// What is printed.
fn played(script: &str, way: Way) -> String {
    let mut thread = Thread::default();
    let mut text = String::new();
    for what in script.split(' ') {
        let copied = match what {
            "unmount" => thread.unmount(way),
            "mount" => Ok(thread.mount(way)),
            "return" => Ok(thread.leave(way)),
            name => {
                thread.stack.push(name);
                Ok(0)
            }
        };
        let names = |frames: &[&str]| {
            frames.iter().map(|it| format!(" {}", it.trim_start_matches(NATIVE))).collect::<String>()
        };
        let copied = copied.map_or_else(|name| format!("pinned by {name}"), |it| format!("copied {it}"));
        text += &format!("{what}: {copied}; heap:{}; stack:{}\n", names(&thread.heap), names(&thread.stack));
    }
    text
}

pub(super) fn check(solution: &Solution) -> Verdict {
    for script in SCRIPTS {
        let context = |wrong: String| format!("This happens: {script}\n{wrong}");
        let arguments: Vec<&str> = script.split(' ').collect();
        let printed = solution.prints(Profile::Debug, &arguments).map_err(context)?;
        compare(&played(script, Way::Right), &printed).map_err(|wrong| {
            let known = HINTS.iter().find(|(way, _)| played(script, *way) == printed);
            context(known.map_or_else(|| wrong.clone(), |(_, hint)| format!("{hint}\n{wrong}")))
        })?;
    }
    Ok("Only what is needed is copied, and nothing that mustn't be.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_way_is_found_by_some_script() {
        for (way, hint) in HINTS {
            assert!(SCRIPTS.iter().any(|it| played(it, *way) != played(it, Way::Right)), "{hint}");
        }
    }
}
