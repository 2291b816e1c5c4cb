//! Chapter 4: how much memory a stack of 256 KiB takes before and after it is first used. Linux
//! counts it for us.

fn main() {
    const COUNT: usize = 1_000;
    let before = resident();
    let mut stacks: Vec<_> = (0..COUNT).map(|_| Vec::<u128>::with_capacity(16 * 1024)).collect();
    let made = resident();
    for stack in &mut stacks {
        *stack.spare_capacity_mut().last_mut().expect("there are 16,384") = std::mem::MaybeUninit::new(0);
    }
    let used = resident();
    std::hint::black_box(&stacks);
    println!("new-stack {} bytes", (made - before) / COUNT);
    println!("stack-with-one-word {} bytes", (used - before) / COUNT);
}

/// The bytes of physical memory that belong to this process.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("this measure is for Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says it");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024
}
