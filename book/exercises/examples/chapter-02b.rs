//! A harder exercise of chapter 2: find your return address.
//!
//! A function that is called has, somewhere above its variables, the address at which its caller
//! goes on. `callee` knows where the code of its caller begins, and looks for a word that points
//! a little behind that.
//!
//! Write `points_behind`, and complete `callee`. To read a word at an address is unsafe, as it may
//! be anybody's: here it is this very stack. Then run `cargo run -p exercises -- check 2b`.

use std::hint::black_box;

/// How many words above its variable `callee` looks.
const WORDS: usize = 64;
/// How long the code of a caller is at most, in bytes.
const LENGTH: usize = 1024;

fn main() {
    tell("near", near());
    tell("far", far());
}

fn tell(name: &str, found: Option<(usize, usize)>) {
    match found {
        Some((words, bytes)) => {
            println!("{name}: {words} words above my variable, {bytes} bytes behind the beginning");
        }
        None => println!("{name}: not found"),
    }
}

/// Calls `callee` at once.
#[inline(never)]
fn near() -> Option<(usize, usize)> {
    black_box(callee(near as *const () as usize))
}

/// Calls `callee` when it has done something else.
#[inline(never)]
fn far() -> Option<(usize, usize)> {
    let numbers = black_box([1, 2, 3, 4]);
    let sum = black_box(numbers[0] + numbers[1]) + black_box(numbers[2] + numbers[3]);
    assert_eq!(black_box(sum), 10);
    black_box(callee(far as *const () as usize))
}

/// How many bytes behind `begin` a word points, if it is an address within a function that begins
/// there. The beginning itself is none: nothing returns there.
fn points_behind(word: usize, begin: usize) -> Option<usize> {
    // Your turn.
    assert!(word < usize::MAX && begin < usize::MAX - LENGTH);
    None
}

/// Looks for its return address: how many words above the variable `here` it lies, and how many
/// bytes behind `begin`, where the code of the caller begins, it points.
#[inline(never)]
fn callee(begin: usize) -> Option<(usize, usize)> {
    let here = 0_usize;
    let here = black_box(&raw const here);
    for distance in 0..WORDS {
        // As it stands, it looks at `here` alone. `wrapping_add` goes up by so many words.
        // SAFETY: A variable of ours.
        let word = unsafe { here.read_volatile() };
        if let Some(bytes) = points_behind(word, begin) {
            return Some((distance, bytes));
        }
    }
    None
}
