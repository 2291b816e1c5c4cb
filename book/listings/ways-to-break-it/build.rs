//! Prepares the two hundred lines for the programs of this package: without their `main`, as
//! `toy.rs`, and once more for each change in `edits`, under its name.

use std::path::Path;
use std::{env, fs};

const TOY: &str = "../two-hundred-lines/src/main.rs";
const MAIN: &str = "fn main() {";

fn main() {
    println!("cargo::rerun-if-changed={TOY}");
    println!("cargo::rerun-if-changed=edits");
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let write = |name: &str, toy: &str| {
        let path = Path::new(&out).join(name).with_extension("rs");
        fs::write(&path, without_main(toy))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    };
    let toy = fs::read_to_string(TOY).unwrap_or_else(|error| panic!("{TOY}: {error}"));
    write("toy", &toy);
    for entry in fs::read_dir("edits").expect("there is a folder edits") {
        let path = entry.expect("edits can be read").path();
        let diff = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name in UTF-8");
        write(name, &apply(&toy, &diff, name));
    }
}

/// Does what `git apply` does, but that a passage must be there exactly once.
fn apply(toy: &str, diff: &str, name: &str) -> String {
    let mut text = toy.to_owned();
    for hunk in diff.split("\n@@ ").skip(1) {
        let (mut old, mut new) = (String::new(), String::new());
        for line in hunk.lines().skip(1) {
            let (sign, rest) = line.split_at(line.len().min(1));
            for (side, other) in [(&mut old, "+"), (&mut new, "-")] {
                if sign != other {
                    side.push_str(rest);
                    side.push('\n');
                }
            }
        }
        assert_eq!(
            text.matches(&old).count(),
            1,
            "edits/{name}.diff does not fit the two hundred lines:\n{old}"
        );
        text = text.replace(&old, &new);
    }
    text
}

/// What may be included below a program's own documentation, and has room for its `main`, which
/// need not use all of it.
fn without_main(toy: &str) -> String {
    let (before, rest) = toy.split_once(MAIN).expect("the toy has a main");
    let (_, after) = rest.split_once("\n}\n").expect("its main ends");
    let text =
        format!("{before}{after}").replace("#[expect(dead_code)]", "#[allow(dead_code)]");
    let text = text.replace("\nfn ", "\n#[allow(dead_code)]\nfn ");
    text.lines()
        .filter(|line| !line.starts_with("//!"))
        .fold(String::new(), |text, line| text + line + "\n")
}
