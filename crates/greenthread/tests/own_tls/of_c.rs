//! What the C library keeps for each thread.

use std::{
    collections::HashSet,
    ffi::c_void,
    mem, ptr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use greenthread::thread::{self, yield_now};

use crate::{
    common::{
        child, is_child,
        machine::{Need, lacks},
        runtime, text, was_aborted,
    },
    has_none, spawn,
};

#[test]
fn errno_is_its_own() {
    if has_none() {
        return;
    }
    let errno = || {
        // SAFETY: the address is that of the calling thread's error number.
        unsafe { libc::__errno_location() }
    };
    runtime(1).run(move || {
        let threads = [1, 2, 3].map(|number| {
            spawn(move || {
                // SAFETY: as above.
                unsafe { *errno() = number };
                (0..5).for_each(|_| yield_now());
                // SAFETY: as above.
                unsafe { *errno() }
            })
        });
        assert_eq!(threads.map(|thread| thread.join().unwrap()), [1, 2, 3]);
    });
}

/// The C library sets some of its thread-locals itself when a pthread begins.
#[test]
fn characters_and_names_are_known() {
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        let thread = spawn(|| {
            // SAFETY: the calls read what they are given. The look-up needs no server.
            unsafe {
                assert_ne!(libc::isspace(i32::from(b' ')), 0);
                assert_eq!(libc::isspace(i32::from(b'x')), 0);
                assert_eq!(libc::strtol(c" 42".as_ptr(), ptr::null_mut(), 10), 42);
                let (hints, mut found) = (mem::zeroed(), ptr::null_mut());
                libc::getaddrinfo(c"127.0.0.1".as_ptr(), ptr::null(), &raw const hints, &raw mut found);
                assert!(!found.is_null());
                libc::freeaddrinfo(found);
            }
            "localhost:1".parse::<std::net::SocketAddr>().is_err()
                && std::net::ToSocketAddrs::to_socket_addrs("localhost:1").is_ok()
        });
        assert!(thread.join().unwrap());
    });
}

#[test]
fn pthread_self_is_its_own() {
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        let of = || {
            // SAFETY: the call has no precondition.
            let me = unsafe { libc::pthread_self() };
            yield_now();
            // SAFETY: as above.
            assert_eq!(me, unsafe { libc::pthread_self() });
            (0..10).for_each(|_| yield_now());
            me
        };
        let threads: Vec<_> = (0..10).map(|_| spawn(of)).collect();
        let ids: HashSet<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ids.len(), 10);
        // SAFETY: as above.
        assert!(!ids.contains(&unsafe { libc::pthread_self() }));
    });
}

/// A recursive mutex knows its owner by a number of the C library's.
#[test]
fn a_recursive_mutex_excludes_siblings() {
    struct Recursive(libc::pthread_mutex_t);
    // SAFETY: a mutex is there to be shared.
    unsafe impl Sync for Recursive {}
    // SAFETY: it does not move while it is used.
    unsafe impl Send for Recursive {}
    if has_none() {
        return;
    }
    // SAFETY: zero is a valid mutex, and the calls below are made as the C library wants them.
    let mutex = unsafe {
        let mut attributes = mem::zeroed();
        libc::pthread_mutexattr_init(&raw mut attributes);
        libc::pthread_mutexattr_settype(&raw mut attributes, libc::PTHREAD_MUTEX_RECURSIVE);
        let mutex = Box::leak(Box::new(Recursive(mem::zeroed())));
        assert_eq!(libc::pthread_mutex_init(&raw mut mutex.0, &raw const attributes), 0);
        &*mutex
    };
    runtime(1).run(move || {
        let try_lock = move || {
            // SAFETY: the mutex is initialised, and is never moved.
            unsafe { libc::pthread_mutex_trylock((&raw const mutex.0).cast_mut()) }
        };
        let unlock = move || {
            // SAFETY: as above. The caller has it locked.
            unsafe { libc::pthread_mutex_unlock((&raw const mutex.0).cast_mut()) }
        };
        let holder = spawn(move || {
            assert_eq!((try_lock(), try_lock()), (0, 0));
            (0..5).for_each(|_| yield_now());
            assert_eq!((unlock(), unlock()), (0, 0));
        });
        yield_now();
        assert_eq!(spawn(try_lock).join().unwrap(), libc::EBUSY);
        assert_eq!(try_lock(), libc::EBUSY);
        holder.join().unwrap();
        assert_eq!((try_lock(), unlock()), (0, 0));
    });
}

/// Their destructors run, in the end, and the next thread finds no value.
#[test]
fn keys_have_values_of_its_own() {
    static DESTROYED: AtomicUsize = AtomicUsize::new(0);
    unsafe extern "C" fn destroy(value: *mut c_void) {
        DESTROYED.fetch_add(value.addr(), SeqCst);
        yield_now();
    }
    if has_none() {
        return;
    }
    let keys: Vec<_> = (0..40)
        .map(|_| {
            let mut key = 0;
            // SAFETY: the call fills `key`.
            assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, Some(destroy)) }, 0);
            key
        })
        .collect();
    let keys = Arc::new(keys);
    runtime(1).run(|| {
        for round in 0..3 {
            let set = |number: usize| {
                let keys = keys.clone();
                move || {
                    for key in keys.iter() {
                        // SAFETY: the key is there.
                        unsafe {
                            assert!(libc::pthread_getspecific(*key).is_null());
                            libc::pthread_setspecific(*key, ptr::without_provenance(number));
                        }
                    }
                    yield_now();
                    // SAFETY: as above.
                    unsafe { libc::pthread_getspecific(keys[39]) }.addr()
                }
            };
            let threads = [1, 10].map(|number| spawn(set(number)));
            assert_eq!(threads.map(|thread| thread.join().unwrap()), [1, 10]);
            assert_eq!(DESTROYED.load(SeqCst), (round + 1) * 40 * 11);
        }
    });
}

/// What the system tells of the thread is what it tells of the worker.
#[test]
fn signals_and_processors_are_those_of_the_os_thread() {
    if has_none() {
        return;
    }
    runtime(1).run(|| {
        let thread = spawn(|| {
            // SAFETY: the calls write nothing. The signal is ignored by default.
            unsafe {
                assert!(libc::sched_getcpu() >= 0);
                assert_eq!(libc::raise(libc::SIGURG), 0);
            }
        });
        thread.join().unwrap();
    });
}

#[test]
fn an_overflow_is_reported() {
    fn deep(depth: u64) -> u64 {
        let frame = std::hint::black_box([depth; 100]);
        if depth == 0 { 0 } else { deep(depth - 1) + frame[7] }
    }
    if has_none() {
        return;
    }
    if is_child() {
        let builder = thread::Builder::new().own_tls(true).name("deep".into());
        runtime(1).run(|| builder.spawn(|| deep(1 << 30)).unwrap().join().unwrap());
    }
    let out = child(|_| {});
    assert!(was_aborted(&out), "{}", text(&out));
    assert!(text(&out).contains("green thread 'deep' has overflowed its stack"), "{}", text(&out));
}

/// The child has one thread, which is an OS thread now. It ends when the closure returns.
#[test]
fn a_child_is_forked() {
    thread_local!(static VALUE: std::cell::Cell<u32> = const { std::cell::Cell::new(0) });
    if has_none() || lacks(&[Need::ThreadsAfterFork]) {
        return;
    }
    if is_child() {
        runtime(2).run(|| {
            let thread = spawn(|| {
                VALUE.set(7);
                // SAFETY: the child of this test uses nothing that another thread may have locked.
                let pid = unsafe { libc::fork() };
                if pid == 0 {
                    yield_now();
                    let seven = std::thread::spawn(|| 7).join().unwrap();
                    assert_eq!(VALUE.get(), seven);
                    println!("in the child");
                    return;
                }
                let mut status = -1;
                // SAFETY: the call writes to `status`.
                unsafe { libc::waitpid(pid, &raw mut status, 0) };
                println!("the child has ended: {status}");
            });
            thread.join().unwrap();
        });
        return;
    }
    let out = child(|_| {});
    assert!(out.status.success(), "{}", text(&out));
    assert!(text(&out).contains("in the child"), "{}", text(&out));
    assert!(text(&out).contains("the child has ended: 0"), "{}", text(&out));
}

#[test]
fn the_process_exits() {
    if has_none() {
        return;
    }
    if is_child() {
        runtime(1).run(|| spawn(|| std::process::exit(3)).join().unwrap());
    }
    assert_eq!(child(|_| {}).status.code(), Some(3));
}
