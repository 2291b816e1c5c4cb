//! The report of an overflow, and what happens to other faults.

use super::*;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::panic::Location;

use system::{GREEN, act, others, was_aborted};

static START: AtomicUsize = AtomicUsize::new(0);
static END: AtomicUsize = AtomicUsize::new(0);
static CALLER: AtomicUsize = AtomicUsize::new(0);

fn describe(fault: usize) -> Option<overflow::Victim> {
    (START.load(Relaxed)..END.load(Relaxed)).contains(&fault).then_some(overflow::Victim {
        name: Some("greedy"),
        stack_size: min_size(),
        location: Location::caller(),
    })
}

#[expect(unconditional_recursion)]
fn recurse(depth: usize) -> usize {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + frame[depth % 64]
}

unsafe extern "C" fn greedy(_: usize) -> ! {
    recurse(0);
    unreachable!()
}

fn overflow_green_stack() {
    let mut cache = Cache::new();
    let stack = cache.take(min_size()).unwrap();
    START.store(stack.guard().start, Relaxed);
    END.store(stack.guard().end, Relaxed);
    // SAFETY: the stack is unused, and its context resumes no other.
    unsafe {
        let green = greenthread_context::init(stack.bounds(), greedy);
        greenthread_context::switch(CALLER.as_ptr().cast(), green, 0);
    }
}

/// In each role the process ends as it would without the library, unless a green stack overflows.
#[test]
fn is_reported_and_nothing_else_is() {
    const NAME: &str = "overflowing::is_reported_and_nothing_else_is";
    if let Some(role) = role() {
        return act(&role);
    }
    for role in GREEN {
        let output = child(NAME, role, role.strip_prefix("green ").unwrap_or(""));
        let errors = errors(&output);
        assert!(was_aborted(&output), "{role}: {output:?}");
        let report = format!(
            "\ngreen thread 'greedy' has overflowed its stack\nstack size: {} bytes, spawned at {}:",
            min_size(),
            file!()
        );
        assert!(errors.contains(&report), "{errors}");
        assert!(
            errors.contains("\nhelp: thread::Builder::stack_size or GREENTHREAD_STACK_SIZE gives more\n")
        );
        assert!(errors.ends_with("\nfatal runtime error: stack overflow, aborting\n"), "{errors}");
    }
    others(NAME);
}

#[cfg(unix)]
mod system {
    use std::thread;

    use super::*;

    pub(super) const GREEN: [&str; 3] = ["green", "green mprotect", "old green"];

    pub(super) fn was_aborted(output: &Output) -> bool {
        output.status.signal() == Some(libc::SIGABRT)
    }

    /// The roles in which no green stack overflows.
    pub(super) fn others(name: &str) {
        let output = child(name, "std", "");
        assert_eq!(output.status.signal(), Some(libc::SIGABRT));
        assert!(errors(&output).contains("thread 'ordinary'") && !errors(&output).contains("green thread"));
        for role in ["null", "default", "default sent", "ignored"] {
            let output = child(name, role, "");
            assert_eq!(output.status.signal(), Some(libc::SIGSEGV), "{role}: {output:?}");
            assert_eq!(errors(&output), "");
        }
        assert_eq!(child(name, "old", "").status.code(), Some(42));
        assert_eq!(child(name, "plain", "").status.code(), Some(43));
        let output = child(name, "ignored sent", "");
        assert_success(&output);
        assert!(String::from_utf8_lossy(&output.stdout).contains("went on"));
    }

    extern "C" fn old_handler(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: the system passes a valid `info`, and `_exit` is async-signal-safe.
        unsafe {
            if (*info).si_addr().addr() == 0x1000 {
                libc::_exit(42);
            }
        }
    }

    extern "C" fn plain_handler(_: libc::c_int) {
        // SAFETY: `_exit` is async-signal-safe.
        unsafe { libc::_exit(43) }
    }

    fn set_action(handler: usize, flags: libc::c_int) {
        // SAFETY: zero is a valid `sigaction`, and both handlers are async-signal-safe.
        unsafe {
            let mut action: libc::sigaction = core::mem::zeroed();
            action.sa_sigaction = handler;
            action.sa_flags = flags;
            assert_eq!(libc::sigaction(libc::SIGSEGV, &action, core::ptr::null_mut()), 0);
        }
    }

    pub(super) fn act(role: &str) {
        let old = old_handler as *const () as usize;
        let plain = plain_handler as *const () as usize;
        match role {
            "default" | "default sent" => set_action(libc::SIG_DFL, 0),
            "ignored sent" | "ignored" => set_action(libc::SIG_IGN, 0),
            "old" | "old green" => set_action(old, libc::SA_SIGINFO | libc::SA_ONSTACK),
            "plain" => set_action(plain, libc::SA_RESETHAND | libc::SA_NODEFER),
            _ => {}
        }
        overflow::install(describe).unwrap();
        overflow::install(|_| None).unwrap();
        let _signal_stack = overflow::SignalStack::new().unwrap();
        match role {
            "green" | "green mprotect" | "old green" | "kept" => overflow_green_stack(),
            "dropped" => drop(_signal_stack),
            "std" => {
                let thread = thread::Builder::new().name("ordinary".into()).spawn(|| recurse(0));
                thread.unwrap().join().unwrap();
            }
            // SAFETY: the signal has a handler, or ends this child process, as the test expects.
            "default sent" | "ignored sent" => unsafe {
                libc::kill(libc::getpid(), libc::SIGSEGV);
            },
            _ => write(0x1000),
        }
        println!("went on");
    }

    #[test]
    fn a_signal_stack_leaves_what_was_there() {
        fn current() -> (usize, usize, libc::c_int) {
            // SAFETY: `stack` is valid for the answer, and nothing is changed.
            unsafe {
                let mut stack: libc::stack_t = core::mem::zeroed();
                assert_eq!(libc::sigaltstack(core::ptr::null(), &mut stack), 0);
                (stack.ss_sp.addr(), stack.ss_size, stack.ss_flags)
            }
        }
        let before = current();
        let (a, b) = (overflow::SignalStack::new().unwrap(), overflow::SignalStack::new().unwrap());
        assert_ne!(current(), before);
        drop(b);
        drop(a);
        assert_eq!(current(), before);
    }
}

#[cfg(windows)]
mod system {
    use super::*;

    pub(super) const GREEN: [&str; 1] = ["green"];

    /// What `abort` gives the process: `STATUS_STACK_BUFFER_OVERRUN`.
    pub(super) fn was_aborted(output: &Output) -> bool {
        output.status.code() == Some(0xC000_0409_u32.cast_signed())
    }

    /// The roles in which no green stack overflows.
    ///
    /// A thread of std is not among them: Wine keeps no room for std's handler.
    pub(super) fn others(name: &str) {
        let output = child(name, "null", "");
        assert_eq!(output.status.code(), Some(0xC000_0005_u32.cast_signed()), "{output:?}");
        assert!(!errors(&output).contains("green thread"), "{output:?}");
    }

    pub(super) fn act(role: &str) {
        overflow::install(describe).unwrap();
        overflow::install(|_| None).unwrap();
        let _room = overflow::SignalStack::new().unwrap();
        match role {
            "green" => overflow_green_stack(),
            _ => write(0x1000),
        }
        unreachable!()
    }
}
