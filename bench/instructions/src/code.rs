//! An executable or library: its instructions, and the functions that they belong to.

use std::error::Error;
use std::fs;
use std::path::Path;

use addr2line::Loader;
use object::{Object, ObjectSegment};

/// The kinds of instructions that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Plain,
    /// It locks the bus.
    Atomic,
    /// It calls the kernel.
    Kernel,
    /// It returns from a function.
    Return,
}

pub struct Code {
    /// The code by address. It is empty for an object that is no file.
    segments: Vec<(u64, Vec<u8>)>,
    /// Without debug information, symbols have to do.
    lines: Option<Loader>,
}

impl Code {
    pub fn open(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap_or_default();
        let segments = object::File::parse(&*bytes).map_or(Vec::new(), |file| {
            let data = |segment: object::Segment| Some((segment.address(), segment.data().ok()?.to_vec()));
            file.segments().filter_map(data).collect()
        });
        Self { segments, lines: Loader::new(path).ok() }
    }

    /// The kind of the instruction at this address.
    pub fn kind(&self, address: u64) -> Kind {
        let behind = |(start, bytes): &(u64, Vec<u8>)| {
            let offset = usize::try_from(address.checked_sub(*start)?).ok()?;
            bytes.get(offset..).map(kind)
        };
        self.segments.iter().find_map(behind).unwrap_or(Kind::Plain)
    }

    /// The function whose source has the instruction, then the one into which that is inlined, and
    /// so on. Functions of the standard library that are inlined into ours count as ours.
    pub fn functions(&self, address: u64) -> Result<Vec<String>, Box<dyn Error>> {
        let (mut names, mut standard) = (Vec::new(), None);
        let Some(lines) = &self.lines else { return Ok(names) };
        let mut frames = lines.find_frames(address)?;
        while let Some(frame) = frames.next()? {
            let Some(name) = frame.function else { continue };
            let file = frame.location.and_then(|location| location.file).unwrap_or("?");
            let name = format!("{} {}", short(file), without_arguments(&name.demangle()?));
            match file.starts_with("/rustc/") {
                true => standard = Some(name),
                false => names.push(name),
            }
        }
        if names.is_empty() {
            names.extend(standard);
        }
        Ok(names)
    }
}

/// The end of a source file's path that tells it from others: the crate's name, and what is in its
/// `src`.
fn short(path: &str) -> &str {
    let Some(src) = path.rfind("/src/") else { return path };
    path[..src].rfind('/').map_or(path, |start| &path[start + 1..])
}

/// A function's name without types in angle brackets, which may be very long.
fn without_arguments(name: &str) -> String {
    let mut depth = 0;
    // An arrow's head closes nothing.
    let name = name.replace("->", "");
    let plain: String = name
        .chars()
        .filter(|c| match c {
            '<' => {
                depth += 1;
                false
            }
            '>' => {
                depth -= 1;
                false
            }
            _ => depth == 0,
        })
        .collect();
    plain.trim_start_matches("::").to_owned()
}

/// The kind of the first of these x86-64 instructions. An exchange has the opcodes 86 and 87 after
/// the prefixes, and locks the bus if its other operand is in memory.
fn kind(code: &[u8]) -> Kind {
    const LOCK: u8 = 0xF0;
    let prefix = |byte: &&u8| matches!(**byte, LOCK | 0x2E | 0x36 | 0x3E | 0x26 | 0x64..=0x67 | 0xF2 | 0xF3);
    let prefixes = code.iter().take_while(|byte| prefix(byte)).count();
    let (prefixes, code) = code.split_at(prefixes);
    let code = match code {
        [0x40..=0x4F, code @ ..] => code,
        code => code,
    };
    match code {
        _ if prefixes.contains(&LOCK) => Kind::Atomic,
        [0x86 | 0x87, operands, ..] if operands >> 6 != 0b11 => Kind::Atomic,
        [0x0F, 0x05, ..] => Kind::Kernel,
        [0xC2 | 0xC3, ..] => Kind::Return,
        _ => Kind::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind, short, without_arguments};

    #[test]
    fn kinds() {
        let cases: [(&[u8], Kind); 8] = [
            (&[0xF0, 0x48, 0x0F, 0xB1, 0x0F], Kind::Atomic), // lock cmpxchg [rdi], rcx
            (&[0x87, 0x07], Kind::Atomic),                   // xchg [rdi], eax
            (&[0x48, 0x87, 0x07], Kind::Atomic),             // xchg [rdi], rax
            (&[0x48, 0x87, 0xDB], Kind::Plain),              // xchg rbx, rbx
            (&[0x0F, 0x05], Kind::Kernel),                   // syscall
            (&[0xC3], Kind::Return),                         // ret
            (&[0x48, 0x8B, 0x07], Kind::Plain),              // mov rax, [rdi]
            (&[], Kind::Plain),
        ];
        for (code, expected) in cases {
            assert_eq!(kind(code), expected, "{code:02x?}");
        }
    }

    #[test]
    fn names() {
        assert_eq!(without_arguments("fold<Range<usize>, (), call::{closure#0}<u8>>"), "fold");
        assert_eq!(without_arguments("call<fn() -> Cell<u8>, u8>"), "call");
        assert_eq!(without_arguments("<Timespec>::now"), "now");
        assert_eq!(short("/somewhere/else/greenthread/src/task/wait.rs"), "greenthread/src/task/wait.rs");
        assert_eq!(short("lib.rs"), "lib.rs");
    }
}
