//! The exercises of the book, and who checks them.
//!
//! The exercise of chapter 5 is the program `examples/chapter-05.rs`: edit it, then run
//! `cargo run -p exercises -- check 5`. One answer is `examples/answer-05.rs`.

pub mod checks;
pub mod child;
pub mod machine;
pub mod solution;
