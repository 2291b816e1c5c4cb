//! Exercise of chapter 9: whose guard is it? A region has many stacks, each with its guard
//! below it:
//!
//! ```text
//! base:  | guard 0 | stack 0 | guard 1 | stack 1 | guard 2 | stack 2 |  :end
//! ```
//!
//! Write `overflowed`, without a loop. Then `cargo run -p exercises -- check 9`.

struct Region {
    base: usize,
    guard: usize,
    stack: usize,
    count: usize,
}

impl Region {
    /// Which stack has overflowed, if somebody has touched `address`; `None` if that is no
    /// guard of ours.
    fn overflowed(&self, address: usize) -> Option<usize> {
        // Your turn. An address is anything that a program may come up with: mind those below
        // `base`.
        let Self { base, guard, stack, count } = *self;
        (address == base + guard + stack + count).then_some(0)
    }
}

/// The arguments: base, guard, stack, count, then addresses.
fn main() {
    let arguments = std::env::args().skip(1);
    let mut numbers = arguments.map(|number| number.parse::<usize>().expect("a number"));
    let mut next = || numbers.next().expect("four numbers and more");
    let region = Region { base: next(), guard: next(), stack: next(), count: next() };
    for address in numbers {
        match region.overflowed(address) {
            Some(stack) => println!("{address}: stack {stack} has overflowed"),
            None => println!("{address}: not ours"),
        }
    }
}
