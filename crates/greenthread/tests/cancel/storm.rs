//! Cancellations at random moments, over a program of channels, locks, semaphores, pipes, sockets
//! and files: nothing is lost, and nothing is held at the end. Each thread of a wave is cancelled
//! once: by its handle, a deadline, a token, or a thread of its scope that fails.
//!
//! `GREENTHREAD_TEST_SECONDS` says for how long (2 if not set), `GREENTHREAD_TEST_SEED` with which
//! seed. With some numbers of workers a storm of its own. The memory is looked at if that takes a
//! minute or more.

use std::{
    env,
    io::{Read, Seek, SeekFrom, Write},
    sync::{
        Arc, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use greenthread::{cancel, channel, fs, io, net, sync, thread};

use crate::common::{
    child,
    dir::Dir,
    is_child, runtime,
    system::{open_descriptors, resident},
    text, worker_counts,
    world::{Random, micros, time_limit},
};

/// The threads of a wave.
const WAVE: usize = 150;
const BLOCK: usize = 3000;

/// A message that is counted.
struct Message(Arc<AtomicUsize>);

impl Message {
    fn new(live: &Arc<AtomicUsize>) -> Self {
        live.fetch_add(1, SeqCst);
        Self(live.clone())
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// What the threads of a wave share.
struct Program {
    live: Arc<AtomicUsize>,
    semaphore: sync::Semaphore,
    lock: sync::Mutex<u64>,
    shared: sync::RwLock<u64>,
    queue: sync::nonpoison::Mutex<u64>,
    condvar: sync::nonpoison::Condvar,
    barrier: sync::Barrier,
    buffered: (channel::Sender<Message>, channel::Receiver<Message>),
    direct: (channel::Sender<Message>, channel::Receiver<Message>),
    pipe: (io::PipeReader, io::PipeWriter),
    readers: sync::Semaphore,
    server: net::SocketAddr,
    file: Arc<sync::Mutex<fs::File>>,
}

impl Program {
    fn new(server: net::SocketAddr, file: &Arc<sync::Mutex<fs::File>>) -> Arc<Self> {
        Arc::new(Self {
            live: Arc::default(),
            semaphore: sync::Semaphore::new(3),
            lock: sync::Mutex::new(0),
            shared: sync::RwLock::new(0),
            queue: sync::nonpoison::Mutex::new(0),
            condvar: sync::nonpoison::Condvar::new(),
            barrier: sync::Barrier::new(3),
            buffered: channel::bounded(2),
            direct: channel::bounded(0),
            pipe: io::pipe().unwrap(),
            // Of two reads of a pipe, Windows begins the second when the first has ended. Until
            // then it can't be cancelled.
            readers: sync::Semaphore::new(if cfg!(windows) { 1 } else { WAVE }),
            server,
            file: file.clone(),
        })
    }

    fn work(&self, what: u64, time: Duration) {
        let message = || Message::new(&self.live);
        match what {
            0 => drop(self.buffered.0.send(message())),
            1 => drop(self.buffered.1.recv()),
            2 => drop(self.direct.0.send(message())),
            3 => drop(self.direct.1.recv()),
            4 => greenthread::channel::select! {
                recv(self.buffered.1) -> message => drop(message),
                recv(self.direct.1) -> message => drop(message),
                send(self.buffered.0, message()) -> result => drop(result),
            },
            5 => {
                let _permit = self.semaphore.acquire();
                thread::sleep(time);
            }
            6 => {
                let permits = self.semaphore.acquire_many(2);
                _ = self.buffered.1.recv_timeout(time);
                drop(permits);
            }
            7 => {
                *self.lock.lock().unwrap() += 1;
                *self.shared.write().unwrap() += 1;
                _ = *self.shared.read().unwrap();
            }
            8 => {
                let mut value = self.queue.lock();
                while *value == 0 {
                    self.condvar.wait(&mut value);
                }
                *value -= 1;
            }
            9 => {
                *self.queue.lock() += 1;
                self.condvar.notify_one();
            }
            10 => _ = self.barrier.wait(),
            11 => {
                let _permit = self.readers.acquire();
                _ = (&self.pipe.0).read(&mut [0; 10]).unwrap();
            }
            12 => _ = (&self.pipe.1).write(&[7; 10]).unwrap(),
            13 => self.ask_the_server(),
            14 => self.use_the_file(time.as_nanos() as u8),
            15 => {
                let live = self.live.clone();
                let other = thread::spawn(move || {
                    let _message = Message::new(&live);
                    thread::sleep(time);
                });
                thread::yield_now();
                other.join().unwrap();
            }
            16 => thread::park(),
            _ => thread::unblock(move || std::thread::sleep(time / 10)),
        }
    }

    fn ask_the_server(&self) {
        // After a while the system has no ports left for new connections.
        let Ok(mut stream) = net::TcpStream::connect(self.server) else { return thread::sleep(micros(100)) };
        let mut answer = [0; 1000];
        for part in answer.chunks_mut(100) {
            // The server's thread may have been cancelled.
            if stream.write_all(&[7; 100]).and_then(|()| stream.read_exact(part)).is_err() {
                return;
            }
        }
        assert!(answer.iter().all(|byte| *byte == 7));
    }

    /// Writes a block, and reads it back.
    fn use_the_file(&self, pattern: u8) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(0)).unwrap();
        file.write_all(&[pattern; BLOCK]).unwrap();
        thread::yield_now();
        file.seek(SeekFrom::Start(0)).unwrap();
        let mut block = [0; BLOCK];
        file.read_exact(&mut block).unwrap();
        assert!(block.iter().all(|byte| *byte == pattern));
    }

    /// Nothing is lost or held: each part still does what it is for.
    fn check(&self) {
        let Self { live, semaphore, buffered, pipe, .. } = self;
        while buffered.1.try_recv().is_ok() {}
        while live.load(SeqCst) != 0 || semaphore.available_permits() != 3 {
            thread::sleep(micros(100));
        }
        assert!(!self.lock.is_poisoned() && !self.shared.is_poisoned());
        assert_eq!(*self.lock.lock().unwrap(), *self.shared.read().unwrap());
        drop(self.queue.lock());
        let mut buffer = [0; 2];
        thread::scope(|scope| {
            (0..3).for_each(|_| _ = scope.spawn(|| self.barrier.wait()));
            scope.spawn(|| self.direct.0.send(Message::new(live)));
            assert!(self.direct.1.recv().is_ok());
            (&pipe.1).write_all(&[8, 9]).unwrap();
            // What was written before and not read is still there.
            while buffer != [8, 9] {
                buffer[0] = buffer[1];
                assert_eq!((&pipe.0).read(&mut buffer[1..]).unwrap(), 1);
            }
        });
        self.use_the_file(1);
    }
}

/// An echo for each connection, until the client has gone or the time is up.
fn serve(listener: &net::TcpListener, open: &Arc<AtomicUsize>) {
    for (number, stream) in listener.incoming().enumerate() {
        let (mut stream, message) = (stream.unwrap(), Message::new(open));
        drop(thread::spawn(move || {
            let _message = message;
            let time = if number % 8 == 0 { micros(200) } else { Duration::from_secs(100) };
            _ = cancel::timeout(time, || {
                let mut buffer = [0; 300];
                // The client may have been cancelled.
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    if stream.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
            });
        }));
    }
}

/// One wave of threads. Returns the number of cancellations.
fn wave(random: &mut Random, program: &Arc<Program>) -> usize {
    let (mut handles, mut tokens) = (Vec::new(), Vec::new());
    for _ in 0..WAVE {
        let (program, what) = (program.clone(), random.below(18));
        let [own, time] = [(); 2].map(|()| micros(random.below(300)));
        let work = move || program.work(what, time);
        handles.push(match random.below(4) {
            0 => thread::spawn(move || _ = cancel::timeout(own, work)),
            1 => thread::spawn(move || {
                _ = cancel::scope(|scope| {
                    scope.spawn(move || Ok(work()));
                    thread::sleep(own);
                    Err::<(), _>(())
                });
            }),
            2 => {
                let token = cancel::Token::new();
                tokens.push(token.clone());
                thread::spawn(move || _ = token.run(work))
            }
            _ => thread::spawn(work),
        });
        if random.below(3) == 0 {
            random.dawdle();
            let at = random.below(handles.len() as u64) as usize;
            handles.swap_remove(at).cancel();
        }
        if random.below(3) == 0 && !tokens.is_empty() {
            let at = random.below(tokens.len() as u64) as usize;
            tokens.swap_remove(at).cancel();
        }
    }
    tokens.iter().for_each(cancel::Token::cancel);
    for handle in handles {
        random.dawdle();
        handle.cancel();
        if let Err(payload) = handle.join() {
            assert!(payload.is::<cancel::Cancelled>());
        }
    }
    WAVE
}

fn storm(workers: usize, time: Duration, seed: u64) {
    let _limit = time_limit(format!("a storm with {workers} workers and GREENTHREAD_TEST_SEED={seed}"));
    let (before, dir) = (open_descriptors(), Dir::new());
    let runtime = runtime(workers);
    let path = dir.path("block");
    runtime.run(move || {
        let mut random = Random::new(seed.wrapping_mul(workers as u64));
        let file = fs::OpenOptions::new().read(true).write(true).create_new(true).open(path).unwrap();
        let file = Arc::new(sync::Mutex::new(file));
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, open) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let server = thread::spawn({
            let open = open.clone();
            move || serve(&listener, &open)
        });
        let (start, mut count) = (Instant::now(), 0);
        let mut sizes = Vec::new();
        while start.elapsed() < time || count == 0 {
            for _ in 0..5 {
                let program = Program::new(address, &file);
                count += wave(&mut random, &program);
                // Threads whose handles are gone may still be on their way out.
                while Arc::strong_count(&program) != 1 {
                    thread::sleep(micros(100));
                }
                program.check();
            }
            while open.load(SeqCst) != 0 {
                thread::sleep(micros(100));
            }
            sizes.push((open_descriptors(), resident()));
        }
        server.cancel();
        assert!(server.join().unwrap_err().is::<cancel::Cancelled>());
        // The first half of the storm brings all parts to their size.
        let (early, late) = sizes.split_at(sizes.len().div_ceil(2));
        let most = |sizes: &[(usize, usize)]| {
            let descriptors = sizes.iter().map(|size| size.0).max();
            (descriptors.unwrap_or(0), sizes.iter().map(|size| size.1).max().unwrap_or(0))
        };
        let (early, late) = (most(early), most(late));
        println!("{workers} workers: {count} cancellations; descriptors and bytes: {early:?}, {late:?}");
        assert!(late.0 <= early.0 + 40, "descriptors are left");
        assert!(time < Duration::from_secs(60) || late.1 <= early.1 + (8 << 20), "memory is left");
    });
    drop(runtime);
    while open_descriptors() > before {
        std::thread::sleep(micros(100));
    }
}

#[test]
fn nothing_is_lost() {
    // In a process of its own, since other tests have descriptors that would be counted.
    if !is_child() {
        let out = child(|_| {});
        assert!(out.status.success(), "{}", text(&out));
        return;
    }
    let number = |name: &str| env::var(name).ok().map(|number| number.parse().expect("a number"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = number("GREENTHREAD_TEST_SEED").unwrap_or(now);
    println!("GREENTHREAD_TEST_SEED={seed}");
    let counts = worker_counts(&[1, 2, 8]);
    let time = Duration::from_secs(number("GREENTHREAD_TEST_SECONDS").unwrap_or(2)) / counts.len() as u32;
    counts.iter().for_each(|workers| storm(*workers, time, seed));
}
