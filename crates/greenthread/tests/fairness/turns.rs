//! Whose turn it is where threads compute for long: who was woken from outside goes first, and
//! nobody is forgotten.

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

/// Longer than a worker takes for "long".
const SLICE: Duration = Duration::from_micros(300);

/// Processors are few, and who waits for one here is to wait for a thread of its own worker.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often somebody has begun to compute.
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
fn who_waits_for_io_goes_before_those_who_compute() {
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
                        // Somebody computes again, and who answers is waiting.
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
        // The slice during which it came, and here and there another; not all eight.
        let waited = waited.load(SeqCst);
        assert!(waited < 100 * COMPUTING / 2, "{waited} slices for 100 answers");
    });
}

#[test]
fn io_without_end_leaves_those_who_compute_their_turn() {
    const ASKING: usize = 6;
    const SLICES: usize = 50;
    let _alone = alone();
    runtime(1).run(|| {
        let over = Arc::new(AtomicBool::new(false));
        let connections: Vec<_> = (0..ASKING).map(|_| connection()).collect();
        let mut askers = Vec::new();
        let mut answering = Vec::new();
        for (ours, mut theirs) in connections {
            // They compute as well: as soon as one has answered there is something for it again.
            answering.push(thread::spawn(|| echo(ours, compute)));
            let over = over.clone();
            askers.push(std::thread::spawn(move || {
                let mut answers = 0;
                while !over.load(SeqCst) {
                    ask(&mut theirs);
                    answers += 1;
                    // When others have had two turns, who has answered is waiting again.
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
        // Each time all who ask may go ahead; then one of the two.
        assert!(answers < 2 * SLICES * (ASKING + 2) * 2, "{answers} answers beside {} slices", 2 * SLICES);
    });
}

/// While many threads compute and end: how many of them have ended when somebody has asked fifty
/// times, without end if need be; and when `beside` is through, which is ready all the time.
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
    // These two start.
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
fn who_waits_for_io_has_its_turn_between_threads_that_only_start() {
    let _alone = alone();
    // Nobody is ready, but for who answers.
    let (ended, _) = runtime(1).run(|| beside_threads_that_only_start(None));
    assert!(ended < THREADS, "fifty answers had to wait for all {THREADS} threads");
}

#[test]
fn so_has_who_is_ready_beside_both() {
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
