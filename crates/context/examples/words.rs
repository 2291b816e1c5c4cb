//! Turns a function that calls back into an iterator: the caller pulls, and the function doesn't know.
//!
//! ```text
//! cargo run -p greenthread-context --example words -- "some text"
//! ```

use greenthread_context::Coroutine;

/// Somebody's parser. It owns the loop and hands out what it finds by callback.
fn each_word(text: &str, mut found: impl FnMut(&str)) {
    let mut word = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() {
            word.push(c);
        } else if !word.is_empty() {
            found(&word);
            word.clear();
        }
    }
    if !word.is_empty() {
        found(&word);
    }
}

/// The same as an iterator. The parser stands still, in the midst of its loop, until the next word is wanted.
fn words(text: String) -> impl Iterator<Item = String> {
    Coroutine::new(move |co, ()| each_word(&text, |word| co.suspend(word.to_string())))
}

fn main() {
    let text = std::env::args().nth(1).unwrap_or("To be, or not to be: that is the question.".to_string());
    let mut words = words(text);
    while let (Some(first), second) = (words.next(), words.next()) {
        println!("{first:>10} {}", second.unwrap_or_default());
    }
}
