//! C's own: polls, locks, conditions, semaphores.

use std::{
    io::{self, Write},
    mem,
    os::{fd::AsRawFd, unix::net::UnixStream},
    ptr,
    sync::Arc,
    thread,
    time::Duration,
};

use crate::{on_one_worker, spawn};

/// An object of C, to be shared.
struct Shared<T>(std::cell::UnsafeCell<T>);
// SAFETY: these objects are there to be shared.
unsafe impl<T> Sync for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Send for Shared<T> {}

impl<T> Shared<T> {
    /// An object of zeros, as C's static initialisers make it.
    fn new() -> Arc<Self> {
        // SAFETY: the objects of the tests may be zero.
        Arc::new(Self(unsafe { mem::zeroed() }))
    }

    fn get(&self) -> *mut T {
        self.0.get()
    }
}

fn poll(entries: &mut [libc::pollfd], timeout: i32) -> i32 {
    // SAFETY: the array is there.
    unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, timeout) }
}

#[test]
fn poll_of_one_and_of_several() {
    on_one_worker(|| {
        let pairs: Vec<_> = (0..3).map(|_| UnixStream::pair().unwrap()).collect();
        let fds: Vec<_> = pairs.iter().map(|(ours, _)| ours.as_raw_fd()).collect();
        let entry = |fd: i32| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let polls = spawn(move || {
            let one = poll(&mut [entry(fds[0])], -1);
            let mut all: Vec<_> = fds.iter().skip(1).map(|fd| entry(*fd)).collect();
            let several = poll(&mut all, -1);
            let late = poll(&mut [entry(fds[1])], 5);
            let none = poll(&mut [], 5);
            (one, several, all[1].revents, late, none)
        });
        let writes = spawn(move || {
            (&pairs[0].1).write_all(b"x").unwrap();
            (0..5).for_each(|_| thread::yield_now());
            (&pairs[2].1).write_all(b"x").unwrap();
            pairs
        });
        assert_eq!(polls.join().unwrap(), (1, 1, libc::POLLIN, 0, 0));
        drop(writes.join().unwrap());
    });
}

#[test]
fn select_and_epoll() {
    on_one_worker(|| {
        let (reader, mut writer) = io::pipe().unwrap();
        let fd = reader.as_raw_fd();
        let waits = spawn(move || {
            // SAFETY: the calls get sets, times and events of their own.
            unsafe {
                let mut set: libc::fd_set = mem::zeroed();
                libc::FD_SET(fd, &raw mut set);
                let mut time = libc::timeval { tv_sec: 0, tv_usec: 5000 };
                let none = ptr::null_mut();
                let late = libc::select(fd + 1, &raw mut set, none, none, &raw mut time);
                assert!(!libc::FD_ISSET(fd, &raw const set));
                libc::FD_SET(fd, &raw mut set);
                let selected = libc::select(fd + 1, &raw mut set, none, none, none.cast());
                assert!(libc::FD_ISSET(fd, &raw const set));

                let epoll = libc::epoll_create1(0);
                let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 7 };
                libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &raw mut event);
                event.u64 = 0;
                let mut byte = 0_u8;
                libc::read(fd, (&raw mut byte).cast(), 1);
                let waited = libc::epoll_wait(epoll, &raw mut event, 1, -1);
                libc::close(epoll);
                (late, selected, waited, event.u64)
            }
        });
        let writes = spawn(move || {
            thread::sleep(Duration::from_millis(10));
            writer.write_all(b"x").unwrap();
            thread::sleep(Duration::from_millis(10));
            writer.write_all(b"x").unwrap();
            writer
        });
        assert_eq!(waits.join().unwrap(), (0, 1, 1, 7));
        drop((reader, writes.join().unwrap()));
    });
}

/// Green threads and OS threads at one mutex and condition.
#[test]
fn a_mutex_and_a_condition_of_c() {
    on_one_worker(|| {
        let shared = Shared::<(libc::pthread_mutex_t, libc::pthread_cond_t, u32)>::new();
        let body = |shared: Arc<Shared<(libc::pthread_mutex_t, libc::pthread_cond_t, u32)>>, number: u32| {
            move || {
                let all = shared.get();
                // SAFETY: the objects are valid, and the count is used under the mutex.
                unsafe {
                    for turn in 0..20 {
                        assert_eq!(libc::pthread_mutex_lock(&raw mut (*all).0), 0);
                        while (*all).2 != turn * 6 + number {
                            assert_eq!(libc::pthread_cond_wait(&raw mut (*all).1, &raw mut (*all).0), 0);
                        }
                        thread::yield_now();
                        (*all).2 += 1;
                        assert_eq!(libc::pthread_cond_broadcast(&raw mut (*all).1), 0);
                        assert_eq!(libc::pthread_mutex_unlock(&raw mut (*all).0), 0);
                    }
                }
            }
        };
        let os: Vec<_> = (0..2).map(|number| thread::spawn(body(shared.clone(), number))).collect();
        let green: Vec<_> = (2..6).map(|number| spawn(body(shared.clone(), number))).collect();
        green.into_iter().for_each(|thread| thread.join().unwrap());
        spawn(|| os.into_iter().for_each(|thread| thread.join().unwrap())).join().unwrap();
        // SAFETY: all threads have ended.
        assert_eq!(unsafe { (*shared.get()).2 }, 120);
    });
}

#[test]
fn a_condition_of_c_times_out() {
    on_one_worker(|| {
        let shared = Shared::<(libc::pthread_mutex_t, libc::pthread_cond_t)>::new();
        let waits = spawn(move || {
            let all = shared.get();
            // SAFETY: the objects are valid.
            unsafe {
                let mut time = mem::zeroed::<libc::timespec>();
                libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut time);
                time.tv_nsec += 5_000_000;
                if time.tv_nsec >= 1_000_000_000 {
                    (time.tv_sec, time.tv_nsec) = (time.tv_sec + 1, time.tv_nsec - 1_000_000_000);
                }
                libc::pthread_mutex_lock(&raw mut (*all).0);
                let result =
                    libc::pthread_cond_timedwait(&raw mut (*all).1, &raw mut (*all).0, &raw const time);
                libc::pthread_mutex_unlock(&raw mut (*all).0);
                result
            }
        });
        assert_eq!(waits.join().unwrap(), libc::ETIMEDOUT);
    });
}

#[test]
fn semaphores_and_read_locks_of_c() {
    on_one_worker(|| {
        let shared = Shared::<(libc::sem_t, libc::pthread_rwlock_t, u32)>::new();
        let waits = spawn({
            let shared = shared.clone();
            move || {
                // SAFETY: the semaphore is valid.
                unsafe { libc::sem_wait(&raw mut (*shared.get()).0) }
            }
        });
        let posts = spawn({
            let shared = shared.clone();
            move || {
                // SAFETY: the semaphore is valid.
                unsafe { libc::sem_post(&raw mut (*shared.get()).0) }
            }
        });
        assert_eq!((waits.join().unwrap(), posts.join().unwrap()), (0, 0));
        let threads: Vec<_> = (0..10)
            .map(|number| {
                let shared = shared.clone();
                spawn(move || {
                    let all = shared.get();
                    // SAFETY: the lock is valid, and the count is used under it.
                    unsafe {
                        if number % 2 == 0 {
                            assert_eq!(libc::pthread_rwlock_wrlock(&raw mut (*all).1), 0);
                            let before = (*all).2;
                            thread::yield_now();
                            (*all).2 = before + 1;
                        } else {
                            assert_eq!(libc::pthread_rwlock_rdlock(&raw mut (*all).1), 0);
                            thread::yield_now();
                        }
                        assert_eq!(libc::pthread_rwlock_unlock(&raw mut (*all).1), 0);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        // SAFETY: all threads have ended.
        assert_eq!(unsafe { (*shared.get()).2 }, 5);
    });
}
