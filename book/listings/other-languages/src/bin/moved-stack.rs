//! A thread's stack is moved while the thread waits, byte for byte. Go moves stacks, too, but it
//! knows which of the words are addresses.

include!(concat!(env!("OUT_DIR"), "/toy.rs"));

fn main() {
    spawn(|| {
        let mut count = 1_u64;
        let pointer = std::hint::black_box(&raw mut count);
        yield_now();
        // SAFETY: None. It points to where `count` was.
        look(&count, unsafe { &mut *pointer });
    });
    spawn(|| {
        // The other one waits. Its memory is never freed, or we couldn't look at it.
        let old = READY.with_borrow_mut(|ready| {
            let new = moved(&ready[0].stack);
            std::mem::replace(&mut ready[0].stack, new)
        });
        std::mem::forget(old);
    });
    run();
}

/// A stack with the same words at the same distance from its end.
fn moved(old: &Stack) -> Stack {
    let end = |stack: &Stack| stack.memory.as_ptr().wrapping_add(stack.memory.capacity());
    let mut new = Stack::new();
    let used = end(old) as usize - old.sp as usize;
    new.sp = end(&new).cast_mut().cast::<usize>().wrapping_byte_sub(used);
    // SAFETY: So many bytes are in use on the old stack, and the new one has as much memory.
    unsafe { new.sp.cast::<u8>().copy_from_nonoverlapping(old.sp.cast(), used) };
    new
}

#[inline(never)]
fn look(count: &u64, pointer: &mut u64) {
    *pointer += 1;
    println!("by its name: {count}; by the pointer: {pointer}");
}
