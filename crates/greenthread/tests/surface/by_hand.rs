// Properties that the signatures in the documentation don't say: macros, modules, default
// parameters, and which types coerce to which.

use io::prelude::*;
use os::unix::{io::AsRawFd as _, prelude::*};

thread_local! {
    static LAZY: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::new(Vec::new());
    /// With documentation, a visibility and a constant.
    pub(crate) static CONSTANT: std::cell::Cell<u8> = const { std::cell::Cell::new(1) };
}
thread_local!(static LAST: std::cell::Cell<u8> = std::cell::Cell::new(2));

fn with_the_librarys_key(key: &'static thread::LocalKey<std::cell::Cell<u8>>) -> u8 {
    LAZY.with_borrow(|bytes| bytes.len() as u8) + CONSTANT.get() + LAST.get() + key.get()
}

static LAZY_LOCK: sync::LazyLock<String> = sync::LazyLock::new(|| "initialised".to_owned());
static ATOMIC: sync::atomic::AtomicUsize = sync::atomic::AtomicUsize::new(0);

fn sized_to_unsized(
    mutex: sync::Arc<sync::Mutex<[u8; 2]>>,
    lock: Box<sync::RwLock<String>>,
) -> (sync::Arc<sync::Mutex<[u8]>>, Box<sync::RwLock<dyn std::fmt::Debug>>) {
    (mutex, lock)
}

fn long_to_short<'short, 'long: 'short>(
    guard: sync::MutexGuard<'long, u8>,
    read: sync::RwLockReadGuard<'long, &'long str>,
    write: sync::RwLockWriteGuard<'long, u8>,
    incoming: net::Incoming<'long>,
) -> (
    sync::MutexGuard<'short, u8>,
    sync::RwLockReadGuard<'short, &'short str>,
    sync::RwLockWriteGuard<'short, u8>,
    net::Incoming<'short>,
) {
    (guard, read, write, incoming)
}

fn questions_and_traits(path: &str) -> io::Result<()> {
    let mut stream = net::TcpStream::connect(("localhost", 80))?;
    write!(stream, "{}", stream.as_raw_fd())?;
    let mut text = String::new();
    fs::File::open(path)?.take(10).read_to_string(&mut text)?;
    for line in io::stdin().lock().lines() {
        io::stdout().lock().write_all(line?.as_bytes())?;
    }
    Ok(())
}
