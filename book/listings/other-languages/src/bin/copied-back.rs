//! Two threads with one stack. When a thread waits, its words are kept elsewhere. Before it
//! goes on, they are copied back to where they were. Julia can do so.

include!(concat!(env!("OUT_DIR"), "/toy.rs"));

fn main() {
    let stack = Stack::new();
    let end = stack.memory.as_ptr().wrapping_add(stack.memory.capacity()) as usize;
    let mut queue: VecDeque<_> = ["one", "two"]
        .into_iter()
        .map(|name| {
            // SAFETY: They were written by `Stack::new`, from `sp` to the end.
            let words = unsafe { kept(stack.sp, end) };
            let task: Option<Box<dyn FnOnce()>> = Some(Box::new(|| count(name)));
            let stack = Stack { sp: stack.sp, id: 0, memory: Vec::new() };
            (Thread { stack, task }, words)
        })
        .collect();
    while let Some((mut thread, words)) = queue.pop_front() {
        // SAFETY: Below the end there is room for them: it is where they come from.
        unsafe { thread.stack.sp.copy_from_nonoverlapping(words.as_ptr(), words.len()) };
        CURRENT.set(&raw mut thread);
        // SAFETY: The words lie at the address that they had when they were left.
        unsafe { switch(&raw mut thread.stack.sp) };
        if !CURRENT.replace(std::ptr::null_mut()).is_null() {
            // SAFETY: The thread has left them, from its `sp` to the end.
            let words = unsafe { kept(thread.stack.sp, end) };
            println!("        and {} words are kept", words.len());
            queue.push_back((thread, words));
        }
    }
}

/// # Safety
/// There are words from `sp` to `end`, and nobody writes them.
unsafe fn kept(sp: *const usize, end: usize) -> Vec<usize> {
    let count = (end - sp as usize) / size_of::<usize>();
    // SAFETY: As the caller says.
    unsafe { std::slice::from_raw_parts(sp, count) }.to_vec()
}

fn count(name: &str) {
    let mut number = 0_u64;
    let pointer = std::hint::black_box(&raw mut number);
    for _ in 0..3 {
        // SAFETY: It points to a variable of this function, as long as that is in its place.
        unsafe { *pointer += 1 };
        println!("thread {name}: {number}");
        yield_now();
    }
}
