//! Three functions, each called by the one before, which say where on the stack they stand.

fn main() {
    let here = 0_u8;
    println!("main  stands at {:p}", &here);
    let answer = twice(20, 1);
    println!("the answer is {answer}");
}

#[inline(never)]
extern "C" fn twice(first: u64, second: u64) -> u64 {
    let here = 0_u8;
    println!("twice stands at {:p}", &here);
    let sum = add(first, second);
    sum + sum
}

#[inline(never)]
extern "C" fn add(first: u64, second: u64) -> u64 {
    let here = 0_u8;
    println!("add   stands at {:p}", &here);
    pick(first + second, 0)
}

/// Calls nobody, so whatever lies below its stack pointer is nobody's.
#[inline(never)]
extern "C" fn pick(this: u64, _or_that: u64) -> u64 {
    this
}
