//! Turns a function that takes a callback into an iterator. The function isn't changed.
//!
//! ```text
//! cargo run -p greenthread-context --example words -- "some text"
//! ```

use greenthread_context::Coroutine;

/// A parser from somewhere else. It owns the loop, and hands each word to a callback.
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

/// The words as an iterator. The parser is suspended inside its loop until the next word is wanted.
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
