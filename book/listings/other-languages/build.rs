//! The two hundred lines without their `main`, as `toy.rs`, for programs that are the toy with
//! another one, which need not use all of it.

use std::path::Path;
use std::{env, fs};

const TOY: &str = "../two-hundred-lines/src/main.rs";

fn main() {
    println!("cargo::rerun-if-changed={TOY}");
    let toy = fs::read_to_string(TOY).expect("the toy is beside us");
    let (before, rest) = toy.split_once("fn main() {").expect("it has a main");
    let (_, after) = rest.split_once("\n}\n").expect("its main ends");
    let text =
        format!("{before}{after}").replace("#[expect(dead_code)]", "#[allow(dead_code)]");
    let text = text.replace("\nfn ", "\n#[allow(dead_code)]\nfn ");
    let lines = text.lines().filter(|line| !line.starts_with("//!"));
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("toy.rs"), lines.collect::<Vec<_>>().join("\n"))
        .expect("cargo has made the folder");
}
