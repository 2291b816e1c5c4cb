//! A harder exercise of chapter 6: wait without asking.
//!
//! While a thread runs it belongs to `run`, which also puts it where it waits. The answer to
//! `cargo run -p exercises -- check 6b`.

use std::arch::asm;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::rc::Rc;

fn main() {
    let mailbox = Rc::new(Mailbox::new());
    let receiver = mailbox.clone();
    spawn(move || {
        for _ in 1..=3 {
            println!("received {}", receiver.recv());
        }
    });
    spawn(move || {
        for number in 1..=3 {
            println!("sent {number}");
            mailbox.send(number);
            for _ in 0..100 {
                yield_now();
            }
        }
    });
    run();
    println!("both threads have returned");
    println!("{} turns were given", TURNS.get());
}

thread_local! {
    /// How many turns `run` has given.
    static TURNS: Cell<usize> = const { Cell::new(0) };
}

/// Messages from thread to thread.
struct Mailbox<T> {
    messages: RefCell<VecDeque<T>>,
    waiting: Rc<RefCell<VecDeque<Thread>>>,
}

impl<T> Mailbox<T> {
    fn new() -> Self {
        Self { messages: RefCell::new(VecDeque::new()), waiting: Rc::default() }
    }

    fn send(&self, message: T) {
        self.messages.borrow_mut().push_back(message);
        let waiting = self.waiting.borrow_mut().pop_front();
        READY.with_borrow_mut(|ready| ready.extend(waiting));
    }

    /// Takes the oldest message, and waits for it if there is none.
    fn recv(&self) -> T {
        loop {
            let message = self.messages.borrow_mut().pop_front();
            match message {
                Some(message) => return message,
                None => {
                    // SAFETY: `run` keeps the thread in place, and doesn't touch it before we
                    // switch.
                    unsafe { (*CURRENT.get()).waits_in = Some(self.waiting.clone()) };
                    yield_now();
                }
            }
        }
    }
}

// From here on it is the program of the chapter, but that it counts turns,
// and that a thread may wait elsewhere than in `READY`.

struct Thread {
    stack: Stack,
    /// What it is to do, until it has begun.
    task: Option<Box<dyn FnOnce()>>,
    /// Where it goes after this turn, if not to the end of `READY`. What lies on its stack stays:
    /// it has borrowed the mailbox, so nobody drops the queue.
    waits_in: Option<Rc<RefCell<VecDeque<Thread>>>>,
}

// Each OS thread has a runtime of its own, so there is nothing to lock.
thread_local! {
    /// The threads that wait for their turn, the next one first. The queue is never dropped: there
    /// may be references to what lies on a stack that was left, so nobody may free it.
    static READY: RefCell<ManuallyDrop<VecDeque<Thread>>> =
        const { RefCell::new(ManuallyDrop::new(VecDeque::new())) };

    /// The thread whose turn it is: a local variable of `run`. Null if it is nobody's turn.
    static CURRENT: Cell<*mut Thread> = const { Cell::new(std::ptr::null_mut()) };
}

/// Makes a thread. It has its first turn in `run`.
fn spawn(task: impl FnOnce() + 'static) {
    let stack = Stack::new();
    let task: Option<Box<dyn FnOnce()>> = Some(Box::new(task));
    READY.with_borrow_mut(|ready| ready.push_back(Thread { stack, task, waits_in: None }));
}

/// Gives the threads their turns, round and round, until all have returned.
fn run() {
    while let Some(mut thread) = READY.with_borrow_mut(|ready| ready.pop_front()) {
        TURNS.set(TURNS.get() + 1);
        let outer = CURRENT.replace(&raw mut thread);
        // SAFETY: `sp` is from `Stack::new`, or from `yield_now` in the thread's last turn.
        unsafe { switch(&raw mut thread.stack.sp) };
        // A thread that has returned is dropped, here where nobody stands on its stack.
        if !CURRENT.replace(outer).is_null() {
            match thread.waits_in.take() {
                Some(place) => place.borrow_mut().push_back(thread),
                None => READY.with_borrow_mut(|ready| ready.push_back(thread)),
            }
        }
    }
    // The empty queue gives its memory back, since it is never dropped.
    READY.with_borrow_mut(|ready| ready.shrink_to_fit());
}

/// Ends this thread's turn. Returns when it has the next one.
fn yield_now() {
    let current = CURRENT.get();
    if !current.is_null() {
        // SAFETY: `run` waits where it left its stack pointer, and keeps the thread in place.
        unsafe { switch(&raw mut (*current).stack.sp) };
    }
}

/// The first function on each stack. A panic finds nobody here who catches it, and aborts.
extern "C" fn start() -> ! {
    // SAFETY: `run` keeps the thread in place, and doesn't touch it before we switch.
    let task = unsafe { (*CURRENT.get()).task.take() };
    task.expect("a thread starts once")();
    let current = CURRENT.replace(std::ptr::null_mut());
    // SAFETY: As in `yield_now`. Null tells `run` that this was the last turn.
    unsafe { switch(&raw mut (*current).stack.sp) };
    unreachable!("`run` gives no more turns to a thread that has returned")
}

/// A stack that was left. It grows downwards, and is in use from `sp` to the end of its memory.
struct Stack {
    sp: *mut usize,
    /// Valgrind's name for it.
    id: usize,
    /// Kept to be freed. A `u128` is aligned to 16 bytes, as a stack must be.
    #[expect(dead_code)]
    memory: Vec<u128>,
}

impl Stack {
    /// A stack that looks as if it had been left by a `switch`, to go on where `start` begins.
    fn new() -> Self {
        // 256 KiB. Nothing is written yet: the OS only gives us the pages that we touch.
        let mut memory = Vec::<u128>::with_capacity(16 * 1024);
        let end = memory.as_mut_ptr().wrapping_add(memory.capacity());
        let (bottom, top) = (memory.as_ptr() as usize, end as usize);
        // What `switch` will pop, from the lowest address up.
        let mut words = Vec::new();
        if cfg!(windows) {
            words.extend([0, bottom, bottom, top, 0]);
        }
        // The rule on x86-64: where a function begins, rsp + 8 is a multiple of 16. `start` is
        // popped from 6 words below the end, a multiple of 16, and rsp is then 8 above it.
        // The zeros: no caller to return to, so backtraces end here; and room that Windows wants.
        words.extend([start as *const () as usize, 0, 0, 0, 0, 0]);
        let sp = end.cast::<usize>().wrapping_sub(words.len());
        // SAFETY: From `sp` to the end there are as many words, in memory that is ours.
        unsafe { sp.copy_from_nonoverlapping(words.as_ptr(), words.len()) };
        let id = valgrind(0x1501, bottom, top);
        Self { sp, id, memory }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        valgrind(0x1502, self.id, 0);
    }
}

/// Exchanges the stack pointer with `*other`, and so leaves this stack for that one.
///
/// We tell the compiler that all registers are lost, so it saves what it still needs. (Windows
/// wants xmm6 to xmm15 kept; "sysv64" says that they are lost, so they are saved whole.) Two that
/// it does not let us name we push ourselves, and then the address where to go on.
///
/// # Safety
/// `*other` was left by `Stack::new` or `switch` on this OS thread, and its memory is still there.
unsafe fn switch(other: *mut *mut usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: Nobody writes to this stack until a switch to it goes on at 2.
    unsafe {
        asm!(
            "push rbx", "push rbp",
            "lea rax, [rip + 2f]", "push rax",
            // Windows's notes on a stack: exception list, base, limit, allocation, guarantee.
            #[cfg(windows)]
            "push qword ptr gs:[0x00]
             push qword ptr gs:[0x08]
             push qword ptr gs:[0x10]
             push qword ptr gs:[0x1478]
             push qword ptr gs:[0x1748]",
            "mov rax, [rdi]", "mov [rdi], rsp", "mov rsp, rax",
            #[cfg(windows)]
            "pop qword ptr gs:[0x1748]
             pop qword ptr gs:[0x1478]
             pop qword ptr gs:[0x10]
             pop qword ptr gs:[0x08]
             pop qword ptr gs:[0x00]",
            "ret",
            "2:", "pop rbp", "pop rbx",
            inout("rdi") other => _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _, clobber_abi("sysv64"),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: As above.
    unsafe {
        asm!(
            "adr x9, 2f", "stp x9, x29, [sp, #-32]!", "str x19, [sp, #16]",
            "ldr x9, [x0]", "mov x10, sp", "str x10, [x0]", "mov sp, x9",
            // x30 is where `start` would return to: no caller there either.
            "ldp x9, x29, [sp], #16", "mov x30, xzr", "ret x9",
            "2:", "ldr x19, [sp], #16",
            inout("x0") other => _,
            out("x20") _, out("x21") _, out("x22") _, out("x23") _, out("x24") _,
            out("x25") _, out("x26") _, out("x27") _, out("x28") _, clobber_abi("C"),
        );
    }
}

/// Tells Valgrind of a stack (0x1501) or of its end (0x1502). Without Valgrind it does nothing.
fn valgrind(request: usize, first: usize, second: usize) -> usize {
    let (question, mut answer) = ([request, first, second, 0, 0, 0], 0);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: Turns rdi all the way round, and exchanges rbx with itself.
    unsafe {
        asm!("rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") question.as_ptr(), inout("rdx") answer);
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: The same with x12 and x10.
    unsafe {
        asm!("ror x12, x12, 3", "ror x12, x12, 13", "ror x12, x12, 51", "ror x12, x12, 61",
            "orr x10, x10, x10", in("x4") question.as_ptr(), inout("x3") answer);
    }
    answer
}

#[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", not(windows)))))]
compile_error!("this program runs on x86-64, and on AArch64 unless that is under Windows");
