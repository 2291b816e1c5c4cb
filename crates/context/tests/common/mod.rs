//! A closure on a stack of its own, resumed by hand: the least that makes the raw functions easy to
//! test.

#![allow(dead_code)] // each test file uses a part of it

pub(crate) mod trash;

use greenthread_context::{Context, MmapStack, StackBounds, init, switch, switch_final};

pub(crate) struct Green {
    shared: Box<Shared>,
    _stack: MmapStack,
}

type Body = Box<dyn FnOnce(&Here, usize) -> usize>;

struct Shared {
    caller: Option<Context>,
    inside: Option<Context>,
    body: Option<Body>,
    finished: bool,
}

/// The handle with which the closure switches back.
#[derive(Clone, Copy)]
pub(crate) struct Here(*mut Shared);

impl Green {
    pub(crate) fn new(body: impl FnOnce(&Here, usize) -> usize + 'static) -> Green {
        Green::with_size(256 * 1024, body)
    }

    pub(crate) fn with_size(size: usize, body: impl FnOnce(&Here, usize) -> usize + 'static) -> Green {
        let stack = MmapStack::new(size).unwrap();
        // SAFETY: the stack is new, and lives as long as the context.
        let inside = unsafe { init(StackBounds::of(&stack), green_entry) };
        Green {
            shared: Box::new(Shared {
                caller: None,
                inside: Some(inside),
                body: Some(Box::new(body)),
                finished: false,
            }),
            _stack: stack,
        }
    }

    /// The context, which must be suspended.
    pub(crate) fn context(&self) -> Context {
        self.shared.inside.unwrap()
    }

    /// The place to save the resumer's context, and the context to resume.
    pub(crate) fn parts(&mut self) -> (*mut Context, Context) {
        let shared: *mut Shared = &mut *self.shared;
        // SAFETY: `Option<Context>` has the layout of a pointer, with null for `None`.
        unsafe { ((&raw mut (*shared).caller).cast(), (*shared).inside.unwrap()) }
    }

    /// Resumes the closure with `arg`. The first switch passes the address of `Shared` too, by
    /// which `green_entry` finds the closure.
    #[inline(never)]
    pub(crate) fn resume(&mut self, arg: usize) -> usize {
        assert!(!self.shared.finished);
        let start = self.shared.body.is_some();
        let shared: *mut Shared = &mut *self.shared;
        let mut first = (shared, arg);
        let (save, to) = self.parts();
        // SAFETY: `to` is suspended.
        unsafe { switch(save, to, if start { &raw mut first as usize } else { arg }) }
    }

    pub(crate) fn finished(&self) -> bool {
        self.shared.finished
    }
}

impl Here {
    #[inline(always)]
    pub(crate) fn suspend(&self, value: usize) -> usize {
        // SAFETY: this runs on the green stack, and the resumer is suspended in `caller`.
        unsafe { switch((&raw mut (*self.0).inside).cast(), (*self.0).caller.unwrap(), value) }
    }
}

unsafe extern "C" fn green_entry(arg: usize) -> ! {
    // SAFETY: `resume` passes a pointer to this pair to the first switch.
    let (shared, arg) = unsafe { *(arg as *const (*mut Shared, usize)) };
    // SAFETY: the resumer waits, so nothing else uses `Shared`.
    let body = unsafe { (*shared).body.take().unwrap() };
    let value = body(&Here(shared), arg);
    // SAFETY: the resumer waits in `caller`. All values here that need a drop have been moved.
    unsafe {
        (*shared).finished = true;
        switch_final((*shared).caller.unwrap(), value)
    }
}

/// Runs the test `name` of this very binary in a process of its own, with `GREEN_CHILD` set.
pub(crate) fn child(name: &str) -> std::process::Output {
    command(std::process::Command::new(std::env::current_exe().unwrap()), name).output().unwrap()
}

/// Adds the arguments with which `command`, which runs this binary, runs its test `name`.
pub(crate) fn command(mut command: std::process::Command, name: &str) -> std::process::Command {
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
    command.env("GREEN_CHILD", "1").env("RUST_BACKTRACE", "0");
    command
}

/// Whether the process has ended as Rust's `abort` ends it, or on Windows by a panic that found no
/// frame to catch it. (Elsewhere that is an `abort` as well.)
pub(crate) fn has_aborted(status: std::process::ExitStatus) -> bool {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status) == Some(6);
    // What the system reports of `__fastfail`, and the exceptions that libgcc and MSVC raise.
    #[cfg(windows)]
    return matches!(status.code().unwrap() as u32, 0xC000_0409 | 0x2047_4343 | 0xE06D_7363);
}

pub(crate) fn is_child() -> bool {
    std::env::var_os("GREEN_CHILD").is_some()
}

/// Whether an emulator runs the program, which gdb and Valgrind of this machine then can't run. The
/// caller of the tests sets the variable.
pub(crate) fn is_foreign() -> bool {
    std::env::var_os("GREEN_FOREIGN").is_some()
}

/// The path of a program that may be missing.
pub(crate) fn find(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}
