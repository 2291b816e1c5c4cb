//! What a call does on this machine. Nothing is looked up: it is called, and looked at.

#[cfg(target_arch = "aarch64")]
#[path = "ask_aarch64.rs"]
mod ask;
#[cfg(target_arch = "riscv64")]
#[path = "ask_riscv64.rs"]
mod ask;
#[cfg(target_arch = "x86_64")]
#[path = "ask_x86_64.rs"]
mod ask;

/// A number that nobody else has.
const NUMBER: usize = 0x5EED;

fn main() {
    println!("{}, {}", std::env::consts::ARCH, std::env::consts::OS);
    println!(
        "the stack pointer at the first instruction, by 16, leaves {}",
        ask::stack_pointer() % 16
    );
    let (on_stack, in_register) = ask::return_addresses();
    println!("the return address lies on the stack: {}", is_here(on_stack));
    println!("the return address is in a register: {}", is_here(in_register));
    for (register, got) in ask::first_argument(NUMBER) {
        println!("the first argument comes in {register}: {}", got == NUMBER);
    }
    for (register, got) in ask::after_a_call(NUMBER) {
        println!("{register}: {}", if got == NUMBER { "kept" } else { "lost" });
    }
}

/// Whether the address is in the code of the function that asks.
fn is_here(address: usize) -> bool {
    let asked = ask::return_addresses as *const () as usize;
    (asked..asked + 256).contains(&address)
}
