//! Which thread runs next on a CPU-bound worker. Threads that were woken from outside go first, and
//! every thread gets its turn.

use std::{
    io::{Read, Write},
    net,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use greenthread::{net::TcpStream, thread};

use crate::common::runtime;

/// Longer than the run from which on a worker counts as CPU-bound.
const SLICE: Duration = Duration::from_micros(300);

/// One test at a time: a worker shall wait for its own threads, not for a processor that another
/// test has.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of calls of `compute`.
static RUNS: AtomicUsize = AtomicUsize::new(0);

fn compute() {
    RUNS.fetch_add(1, SeqCst);
    let begin = Instant::now();
    while begin.elapsed() < SLICE {
        std::hint::spin_loop();
    }
}

/// Two ends of a connection: one for a green thread, one for an OS thread.
fn connection() -> (TcpStream, net::TcpStream) {
    let listener = greenthread::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    theirs.set_nodelay(true).unwrap();
    (listener.accept().unwrap().0, theirs)
}

/// Answers each byte, after `before` has been called, until the other end closes.
fn echo(mut stream: TcpStream, before: impl Fn()) {
    let mut byte = [0];
    while stream.read(&mut byte).unwrap() == 1 {
        before();
        stream.write_all(&byte).unwrap();
    }
}

fn ask(stream: &mut net::TcpStream) {
    stream.write_all(b"?").unwrap();
    stream.read_exact(&mut [0]).unwrap();
}

#[test]
fn threads_woken_by_io_overtake_computing_ones() {
    const COMPUTING: usize = 8;
    let _alone = alone();
    runtime(1).run(|| {
        let (ours, mut theirs) = connection();
        let (over, slices, asked_at) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
        let waited = AtomicUsize::new(0);
        let (over, slices, asked_at, waited) = (&over, &slices, &asked_at, &waited);
        thread::scope(|s| {
            for _ in 0..COMPUTING {
                s.spawn(|| {
                    while !over.load(SeqCst) {
                        compute();
                        slices.fetch_add(1, SeqCst);
                        thread::yield_now();
                    }
                });
            }
            s.spawn(|| {
                echo(ours, || _ = waited.fetch_add(slices.load(SeqCst) - asked_at.load(SeqCst), SeqCst))
            });
            while slices.load(SeqCst) < 4 * COMPUTING {
                thread::yield_now();
            }
            std::thread::scope(|os| {
                let asker = os.spawn(move || {
                    for _ in 0..100 {
                        // By then a thread computes again, and the answering thread waits.
                        let at = slices.load(SeqCst);
                        while slices.load(SeqCst) == at {
                            std::thread::yield_now();
                        }
                        asked_at.store(slices.load(SeqCst), SeqCst);
                        ask(&mut theirs);
                    }
                });
                while !asker.is_finished() {
                    thread::yield_now();
                }
            });
            over.store(true, SeqCst);
        });
        // An answer waits for the slice during which the question came, and sometimes for another
        // one, but not for all eight.
        let waited = waited.load(SeqCst);
        assert!(waited < 100 * COMPUTING / 2, "{waited} slices for 100 answers");
    });
}

#[test]
fn computing_threads_have_turns_beside_io_without_end() {
    const ASKING: usize = 6;
    const SLICES: usize = 50;
    let _alone = alone();
    runtime(1).run(|| {
        let over = Arc::new(AtomicBool::new(false));
        let connections: Vec<_> = (0..ASKING).map(|_| connection()).collect();
        let mut askers = Vec::new();
        let mut answering = Vec::new();
        for (ours, mut theirs) in connections {
            // These threads compute as well. As soon as one has answered, its next question is
            // there.
            answering.push(thread::spawn(|| echo(ours, compute)));
            let over = over.clone();
            askers.push(std::thread::spawn(move || {
                let mut answers = 0;
                while !over.load(SeqCst) {
                    ask(&mut theirs);
                    answers += 1;
                    // When other threads have had two turns, the thread that has answered waits
                    // again.
                    let at = RUNS.load(SeqCst);
                    while RUNS.load(SeqCst) < at + 2 && !over.load(SeqCst) {
                        std::thread::sleep(Duration::from_micros(20));
                    }
                }
                answers
            }));
        }
        let computing: Vec<_> = (0..2)
            .map(|_| {
                thread::spawn(|| {
                    for _ in 0..SLICES {
                        compute();
                        thread::yield_now();
                    }
                })
            })
            .collect();
        computing.into_iter().for_each(|thread| thread.join().unwrap());
        over.store(true, SeqCst);
        answering.into_iter().for_each(|thread| thread.join().unwrap());
        let answers: usize = askers.into_iter().map(|asker| asker.join().unwrap()).sum();
        // Each time all answering threads may overtake; then one of the two computing ones has its
        // turn.
        assert!(answers < 2 * SLICES * (ASKING + 2) * 2, "{answers} answers beside {} slices", 2 * SLICES);
    });
}

/// Many threads compute and end, while a client asks, and a thread that is always ready runs
/// `beside`. Returns how many of them have ended when the client has had fifty answers, and when
/// `beside` has returned.
fn beside_threads_that_only_start(beside: Option<fn()>) -> (usize, usize) {
    let (ours, mut theirs) = connection();
    let (ended, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let answering = thread::spawn(|| echo(ours, || ()));
    let beside = beside.map(|beside| {
        let ended = ended.clone();
        thread::spawn(move || {
            beside();
            ended.load(SeqCst)
        })
    });
    // The two threads start here.
    (0..4).for_each(|_| thread::yield_now());
    let this = thread::current();
    for _ in 0..THREADS {
        let (ended, this) = (ended.clone(), this.clone());
        thread::spawn(move || {
            compute();
            if ended.fetch_add(1, SeqCst) + 1 == THREADS {
                this.unpark();
            }
        });
    }
    let asker = std::thread::spawn({
        let (ended, over) = (ended.clone(), over.clone());
        move || {
            (0..50).for_each(|_| ask(&mut theirs));
            let then = ended.load(SeqCst);
            while !over.load(SeqCst) {
                ask(&mut theirs);
            }
            then
        }
    });
    while ended.load(SeqCst) < THREADS {
        thread::park();
    }
    over.store(true, SeqCst);
    let beside = beside.map_or(0, |beside| beside.join().unwrap());
    answering.join().unwrap();
    (asker.join().unwrap(), beside)
}

const THREADS: usize = 2000;

#[test]
fn io_has_turns_between_threads_that_only_start() {
    let _alone = alone();
    // No thread is ready, except for the answering one.
    let (ended, _) = runtime(1).run(|| beside_threads_that_only_start(None));
    assert!(ended < THREADS, "fifty answers had to wait for all {THREADS} threads");
}

#[test]
fn a_ready_thread_has_turns_beside_both() {
    let _alone = alone();
    fn slices() {
        for _ in 0..50 {
            compute();
            thread::yield_now();
        }
    }
    let (asked, computed) = runtime(1).run(|| beside_threads_that_only_start(Some(slices)));
    assert!(asked < THREADS, "fifty answers had to wait for all {THREADS} threads");
    assert!(computed < THREADS, "fifty slices had to wait for all {THREADS} threads");
}
