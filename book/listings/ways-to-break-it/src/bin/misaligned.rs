//! The first function on a stack must find it aligned. Here it doesn't.
include!(concat!(env!("OUT_DIR"), "/misaligned.rs"));

/// A value that the compiler puts at a multiple of 16, as it believes.
#[repr(align(16))]
struct Aligned([u8; 16]);

fn main() {
    spawn(|| store(&mut Aligned([0; 16])));
    run();
    println!("nothing has happened");
}

/// Writes 16 bytes with the instruction that wants them aligned. Compilers like it, too.
#[inline(never)]
fn store(place: &mut Aligned) {
    // SAFETY: Writes into `place`, which is as long and as aligned as the instruction wants
    // it.
    unsafe { asm!("movaps [{}], xmm0", in(reg) place.0.as_mut_ptr()) };
}
