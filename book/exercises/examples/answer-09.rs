//! Answer of chapter 9.

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
        let offset = address.checked_sub(self.base)?;
        let stride = self.guard + self.stack;
        let (index, within) = (offset / stride, offset % stride);
        (index < self.count && within < self.guard).then_some(index)
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
