//! Two programs are measured as they stand. Their functions are private, so a measure lies in the
//! same module: here each loses its `//!` lines, which can't be included, and its `main`.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    for program in ["the-switch/src/bin/there-and-back", "two-hundred-lines/src/main"] {
        let path = Path::new("..").join(program).with_extension("rs");
        println!("cargo::rerun-if-changed={}", path.display());
        let source = fs::read_to_string(&path).expect("the program is beside us");
        let lines = source.lines().filter(|line| !line.starts_with("//!"));
        let source = lines.collect::<Vec<_>>().join("\n").replacen("\nfn main()", "\nfn original_main()", 1);
        let name = program.rsplit_once("/").expect("a path").1;
        fs::write(out.join(name).with_extension("rs"), source).expect("cargo has made the folder");
    }
}
