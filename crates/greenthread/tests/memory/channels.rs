//! To wait at channels allocates nothing and takes no OS thread, also in a select.

use std::fs;

use greenthread::{
    Runtime,
    channel::{Select, after, bounded, never, select, tick, unbounded},
    thread,
    time::Duration,
};

use crate::{ALLOCATIONS, alone};

/// The number of allocations on this OS thread during `f`, including those of the worker's other
/// threads.
fn allocations(f: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    f();
    ALLOCATIONS.get() - before
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn waiting_is_free() {
    alone(|| {
        const ROUNDS: usize = 200;
        let runtime = Runtime::builder().workers(1).build().unwrap();
        runtime.run(|| {
            let ((s1, r1), (s2, r2)) = (bounded::<[usize; 4]>(0), bounded::<usize>(1));
            let (back, acks) = bounded::<()>(0);
            let (end, ends) = bounded::<()>(0);
            // The other thread answers in all ways. One of them is a select that waits.
            let other = thread::spawn(move || {
                for n in 0.. {
                    select! {
                        send(s1, [n; 4]) -> sent => if sent.is_err() { return },
                        send(s2, n) -> sent => if sent.is_err() { return },
                        recv(ends) -> _ => return,
                    }
                    select! {
                        recv(acks) -> _ => {}
                        recv(ends) -> _ => return,
                    }
                }
            });
            let round = || {
                select! {
                    recv(r1) -> message => _ = message.unwrap(),
                    recv(r2) -> message => _ = message.unwrap(),
                    recv(never::<()>()) -> _ => unreachable!(),
                    default(Duration::from_secs(60)) => panic!("it answers"),
                }
                back.send(()).unwrap();
            };
            let mut list = Select::new();
            let first = list.recv(&r1);
            list.recv(&r2);
            let mut listed = || {
                let operation = list.select();
                if operation.index() == first {
                    operation.recv(&r1).unwrap();
                } else {
                    operation.recv(&r2).unwrap();
                }
                back.send(()).unwrap();
            };
            (0..ROUNDS).for_each(|_| {
                round();
                listed();
            });
            assert_eq!(allocations(|| (0..ROUNDS).for_each(|_| round())), 0, "select!");
            assert_eq!(allocations(|| (0..ROUNDS).for_each(|_| listed())), 0, "Select");
            drop(end);
            other.join().unwrap();

            // A timer is one allocation when it is made. To wait for it allocates nothing, and
            // takes no OS thread.
            let (_s, r) = unbounded::<()>();
            let (ticks, late) = (tick(Duration::from_micros(50)), after(Duration::from_secs(1000)));
            let before = threads();
            let made = allocations(|| {
                for _ in 0..20 {
                    select! {
                        recv(r) -> _ => unreachable!(),
                        recv(late) -> _ => unreachable!(),
                        recv(ticks) -> _ => {}
                    }
                    ticks.recv().unwrap();
                }
            });
            assert_eq!((made, threads()), (0, before), "timers");
            assert_eq!(allocations(|| drop(after(Duration::ZERO))), 1);
        });
    });
}
