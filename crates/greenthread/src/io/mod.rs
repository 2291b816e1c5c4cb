//! [`std::io`] for green threads: std's traits and types, and standard streams and pipes for which
//! only the calling thread waits.
//!
//! Items that never wait are std's own, of the same type. [`copy`] and the other functions work
//! with every reader and writer.
//!
//! # Examples
//!
//! ```
//! use greenthread::{io::{self, BufRead, BufReader, Write}, thread};
//!
//! greenthread::run(|| {
//!     let (reader, mut writer) = io::pipe()?;
//!     let lines = thread::spawn(move || BufReader::new(reader).lines().collect::<io::Result<Vec<_>>>());
//!     writeln!(writer, "one")?;
//!     writeln!(writer, "two")?;
//!     drop(writer);
//!     assert_eq!(lines.join().unwrap()?, ["one", "two"]);
//!     io::Result::Ok(())
//! })?;
//! # Ok::<(), std::io::Error>(())
//! ```

mod pipe;
mod stdin;
mod stdout;
mod terminal;

pub use std::io::{
    BufRead, BufReader, BufWriter, Bytes, Chain, Cursor, Empty, Error, ErrorKind, IntoInnerError, IoSlice,
    IoSliceMut, LineWriter, Lines, Read, Repeat, Result, Seek, SeekFrom, Sink, Split, Take, Write,
    WriterPanicked, copy, empty, prelude, read_to_string, repeat, sink,
};

pub use pipe::{PipeReader, PipeWriter, pipe};
pub use stdin::{Stdin, StdinLock, stdin};
pub use stdout::{Stderr, StderrLock, Stdout, StdoutLock, stderr, stdout};
#[doc(hidden)]
pub use stdout::{eprint, print};
pub use terminal::IsTerminal;
