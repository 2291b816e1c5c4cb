use std::arch::asm;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem::ManuallyDrop;

fn main() {
    for (name, last) in [("one", 10), ("two", 15)] {
        spawn(move || {
            for number in 1..=last {
                println!("thread {name}: {number}");
                yield_now();
            }
        });
    }
    run();
    println!("both threads have returned");
}

struct Thread {
    stack: Stack,
    task: Option<Box<dyn FnOnce()>>,
}

thread_local! {
    static READY: RefCell<ManuallyDrop<VecDeque<Thread>>> =
        const { RefCell::new(ManuallyDrop::new(VecDeque::new())) };

    static CURRENT: Cell<*mut Thread> = const { Cell::new(std::ptr::null_mut()) };
}

fn spawn(task: impl FnOnce() + 'static) {
    let stack = Stack::new();
    let task: Option<Box<dyn FnOnce()>> = Some(Box::new(task));
    READY.with_borrow_mut(|ready| ready.push_back(Thread { stack, task }));
}

fn run() {
    while let Some(mut thread) = READY.with_borrow_mut(|ready| ready.pop_front()) {
        let outer = CURRENT.replace(&raw mut thread);
        unsafe { switch(&raw mut thread.stack.sp) };
        if !CURRENT.replace(outer).is_null() {
            READY.with_borrow_mut(|ready| ready.push_back(thread));
        }
    }
    READY.with_borrow_mut(|ready| ready.shrink_to_fit());
}

fn yield_now() {
    let current = CURRENT.get();
    if !current.is_null() {
        unsafe { switch(&raw mut (*current).stack.sp) };
    }
}

extern "C" fn start() -> ! {
    let task = unsafe { (*CURRENT.get()).task.take() };
    task.expect("a thread starts once")();
    let current = CURRENT.replace(std::ptr::null_mut());
    unsafe { switch(&raw mut (*current).stack.sp) };
    unreachable!("`run` gives no more turns to a thread that has returned")
}

struct Stack {
    sp: *mut usize,
    id: usize,
    #[expect(dead_code)]
    memory: Vec<u128>,
}

impl Stack {
    fn new() -> Self {
        let mut memory = Vec::<u128>::with_capacity(16 * 1024);
        let end = memory.as_mut_ptr().wrapping_add(memory.capacity());
        let (bottom, top) = (memory.as_ptr() as usize, end as usize);
        let mut words = Vec::new();
        if cfg!(windows) {
            words.extend([0, bottom, bottom, top, 0]);
        }
        words.extend([start as *const () as usize, 0, 0, 0, 0, 0]);
        let sp = end.cast::<usize>().wrapping_sub(words.len());
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

unsafe fn switch(other: *mut *mut usize) {
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "push rbx", "push rbp",
            "lea rax, [rip + 2f]", "push rax",
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
    unsafe {
        asm!(
            "adr x9, 2f", "stp x9, x29, [sp, #-32]!", "str x19, [sp, #16]",
            "ldr x9, [x0]", "mov x10, sp", "str x10, [x0]", "mov sp, x9",
            "ldp x9, x29, [sp], #16", "mov x30, xzr", "ret x9",
            "2:", "ldr x19, [sp], #16",
            inout("x0") other => _,
            out("x20") _, out("x21") _, out("x22") _, out("x23") _, out("x24") _,
            out("x25") _, out("x26") _, out("x27") _, out("x28") _, clobber_abi("C"),
        );
    }
}

fn valgrind(request: usize, first: usize, second: usize) -> usize {
    let (question, mut answer) = ([request, first, second, 0, 0, 0], 0);
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") question.as_ptr(), inout("rdx") answer);
    }
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("ror x12, x12, 3", "ror x12, x12, 13", "ror x12, x12, 51", "ror x12, x12, 61",
            "orr x10, x10, x10", in("x4") question.as_ptr(), inout("x3") answer);
    }
    answer
}

#[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", not(windows)))))]
compile_error!("this program runs on x86-64, and on AArch64 unless that is under Windows");
