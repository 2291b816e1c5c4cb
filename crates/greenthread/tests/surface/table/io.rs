// Made by docs.rs from the documentation of std 1.95; not edited by hand.

// enum io::ErrorKind
same! { [] io::ErrorKind = std::io::ErrorKind }

// enum io::SeekFrom
same! { [] io::SeekFrom = std::io::SeekFrom }

// fn io::copy
item! { fn copy<R, W>(reader: &mut R, writer: &mut W) -> std::io::Result<u64> where R: std::io::Read + ?Sized, W: std::io::Write + ?Sized { io::copy(reader, writer) } }

// fn io::empty
item! { const fn empty() -> std::io::Empty { io::empty() } }

// fn io::pipe
item! { fn pipe() -> std::io::Result<(io::PipeReader, io::PipeWriter)> { io::pipe() } }

// fn io::read_to_string
item! { fn read_to_string<R: std::io::Read>(reader: R) -> std::io::Result<String> { io::read_to_string(reader) } }

// fn io::repeat
item! { const fn repeat(byte: u8) -> std::io::Repeat { io::repeat(byte) } }

// fn io::sink
item! { const fn sink() -> std::io::Sink { io::sink() } }

// fn io::stderr
item! { fn stderr() -> io::Stderr { io::stderr() } }

// fn io::stdin
item! { fn stdin() -> io::Stdin { io::stdin() } }

// fn io::stdout
item! { fn stdout() -> io::Stdout { io::stdout() } }

// struct io::BufReader
same! { [R: ?Sized] io::BufReader<R> = std::io::BufReader<R> }

// struct io::BufWriter
same! { [W: ?Sized + std::io::Write] io::BufWriter<W> = std::io::BufWriter<W> }

// struct io::Bytes
same! { [R] io::Bytes<R> = std::io::Bytes<R> }

// struct io::Chain
same! { [T, U] io::Chain<T, U> = std::io::Chain<T, U> }

// struct io::Cursor
same! { [T] io::Cursor<T> = std::io::Cursor<T> }

// struct io::Empty
same! { [] io::Empty = std::io::Empty }

// struct io::Error
same! { [] io::Error = std::io::Error }

// struct io::IntoInnerError
same! { [W] io::IntoInnerError<W> = std::io::IntoInnerError<W> }

// struct io::IoSlice
same! { ['a] io::IoSlice<'a> = std::io::IoSlice<'a> }

// struct io::IoSliceMut
same! { ['a] io::IoSliceMut<'a> = std::io::IoSliceMut<'a> }

// struct io::LineWriter
same! { [W: ?Sized + std::io::Write] io::LineWriter<W> = std::io::LineWriter<W> }

// struct io::Lines
same! { [B] io::Lines<B> = std::io::Lines<B> }

// struct io::PipeReader
item! { fn try_clone(this: &io::PipeReader) -> std::io::Result<io::PipeReader> { io::PipeReader::try_clone(this) } }
implements! { io::PipeReader: std::os::fd::AsFd }
implements! { io::PipeReader: std::os::fd::AsRawFd }
implements! { io::PipeReader: std::fmt::Debug }
implements! { io::PipeReader: From<std::os::fd::OwnedFd> }
implements! { std::os::fd::OwnedFd: From<io::PipeReader> }
implements! { std::process::Stdio: From<io::PipeReader> }
implements! { io::PipeReader: std::os::fd::FromRawFd }
implements! { io::PipeReader: std::os::fd::IntoRawFd }
implements! { ['x0] [] &'x0 io::PipeReader: std::io::Read }
implements! { io::PipeReader: std::io::Read }
implements! { io::PipeReader: std::panic::RefUnwindSafe }
implements! { io::PipeReader: Send }
implements! { io::PipeReader: Sync }
implements! { io::PipeReader: Unpin }
implements! { io::PipeReader: std::panic::UnwindSafe }

// struct io::PipeWriter
item! { fn try_clone(this: &io::PipeWriter) -> std::io::Result<io::PipeWriter> { io::PipeWriter::try_clone(this) } }
implements! { io::PipeWriter: std::os::fd::AsFd }
implements! { io::PipeWriter: std::os::fd::AsRawFd }
implements! { io::PipeWriter: std::fmt::Debug }
implements! { io::PipeWriter: From<std::os::fd::OwnedFd> }
implements! { std::os::fd::OwnedFd: From<io::PipeWriter> }
implements! { std::process::Stdio: From<io::PipeWriter> }
implements! { io::PipeWriter: std::os::fd::FromRawFd }
implements! { io::PipeWriter: std::os::fd::IntoRawFd }
implements! { ['x0] [] &'x0 io::PipeWriter: std::io::Write }
implements! { io::PipeWriter: std::io::Write }
implements! { io::PipeWriter: std::panic::RefUnwindSafe }
implements! { io::PipeWriter: Send }
implements! { io::PipeWriter: Sync }
implements! { io::PipeWriter: Unpin }
implements! { io::PipeWriter: std::panic::UnwindSafe }

// struct io::Repeat
same! { [] io::Repeat = std::io::Repeat }

// struct io::Sink
same! { [] io::Sink = std::io::Sink }

// struct io::Split
same! { [B] io::Split<B> = std::io::Split<B> }

// struct io::Stderr
item! { fn lock(this: &io::Stderr) -> io::StderrLock<'static> { io::Stderr::lock(this) } }
implements! { io::Stderr: std::os::fd::AsFd }
implements! { io::Stderr: std::os::fd::AsRawFd }
implements! { io::Stderr: std::fmt::Debug }
implements! { std::process::Stdio: From<io::Stderr> }
implements! { io::Stderr: io::IsTerminal }
implements! { ['x0] [] &'x0 io::Stderr: std::io::Write }
implements! { io::Stderr: std::io::Write }
implements! { io::Stderr: std::panic::RefUnwindSafe }
implements! { io::Stderr: std::panic::UnwindSafe }
implements! { io::Stderr: Send }
implements! { io::Stderr: Sync }
implements! { io::Stderr: Unpin }

// struct io::StderrLock
implements! { ['a] [] io::StderrLock<'a>: std::os::fd::AsFd }
implements! { ['a] [] io::StderrLock<'a>: std::os::fd::AsRawFd }
implements! { ['x0] [] io::StderrLock<'x0>: std::fmt::Debug }
implements! { ['x0] [] io::StderrLock<'x0>: io::IsTerminal }
implements! { ['x0] [] io::StderrLock<'x0>: std::io::Write }
implements! { ['x0] [] io::StderrLock<'x0>: std::panic::RefUnwindSafe }
implements! { ['x0] [] io::StderrLock<'x0>: std::panic::UnwindSafe }
lacks! { io::StderrLock<'static>: Send }
lacks! { io::StderrLock<'static>: Sync }
implements! { ['a] [] io::StderrLock<'a>: Unpin }

// struct io::Stdin
item! { fn lock(this: &io::Stdin) -> io::StdinLock<'static> { io::Stdin::lock(this) } }
item! { fn read_line(this: &io::Stdin, buf: &mut String) -> std::io::Result<usize> { io::Stdin::read_line(this, buf) } }
item! { fn lines(this: io::Stdin) -> std::io::Lines<io::StdinLock<'static>> { io::Stdin::lines(this) } }
implements! { io::Stdin: std::os::fd::AsFd }
implements! { io::Stdin: std::os::fd::AsRawFd }
implements! { io::Stdin: std::fmt::Debug }
implements! { io::Stdin: io::IsTerminal }
implements! { ['x0] [] &'x0 io::Stdin: std::io::Read }
implements! { io::Stdin: std::io::Read }
implements! { io::Stdin: std::panic::RefUnwindSafe }
implements! { io::Stdin: Send }
implements! { io::Stdin: Sync }
implements! { io::Stdin: Unpin }
implements! { io::Stdin: std::panic::UnwindSafe }

// struct io::StdinLock
implements! { ['a] [] io::StdinLock<'a>: std::os::fd::AsFd }
implements! { ['a] [] io::StdinLock<'a>: std::os::fd::AsRawFd }
implements! { ['x0] [] io::StdinLock<'x0>: std::io::BufRead }
implements! { ['x0] [] io::StdinLock<'x0>: std::fmt::Debug }
implements! { ['x0] [] io::StdinLock<'x0>: io::IsTerminal }
implements! { ['x0] [] io::StdinLock<'x0>: std::io::Read }
implements! { ['a] [] io::StdinLock<'a>: std::panic::RefUnwindSafe }
lacks! { io::StdinLock<'static>: Send }
implements! { ['a] [] io::StdinLock<'a>: Sync }
implements! { ['a] [] io::StdinLock<'a>: Unpin }
implements! { ['a] [] io::StdinLock<'a>: std::panic::UnwindSafe }

// struct io::Stdout
item! { fn lock(this: &io::Stdout) -> io::StdoutLock<'static> { io::Stdout::lock(this) } }
implements! { io::Stdout: std::os::fd::AsFd }
implements! { io::Stdout: std::os::fd::AsRawFd }
implements! { io::Stdout: std::fmt::Debug }
implements! { std::process::Stdio: From<io::Stdout> }
implements! { io::Stdout: io::IsTerminal }
implements! { ['x0] [] &'x0 io::Stdout: std::io::Write }
implements! { io::Stdout: std::io::Write }
implements! { io::Stdout: std::panic::RefUnwindSafe }
implements! { io::Stdout: std::panic::UnwindSafe }
implements! { io::Stdout: Send }
implements! { io::Stdout: Sync }
implements! { io::Stdout: Unpin }

// struct io::StdoutLock
implements! { ['a] [] io::StdoutLock<'a>: std::os::fd::AsFd }
implements! { ['a] [] io::StdoutLock<'a>: std::os::fd::AsRawFd }
implements! { ['x0] [] io::StdoutLock<'x0>: std::fmt::Debug }
implements! { ['x0] [] io::StdoutLock<'x0>: io::IsTerminal }
implements! { ['x0] [] io::StdoutLock<'x0>: std::io::Write }
implements! { ['x0] [] io::StdoutLock<'x0>: std::panic::RefUnwindSafe }
implements! { ['x0] [] io::StdoutLock<'x0>: std::panic::UnwindSafe }
lacks! { io::StdoutLock<'static>: Send }
lacks! { io::StdoutLock<'static>: Sync }
implements! { ['a] [] io::StdoutLock<'a>: Unpin }

// struct io::Take
same! { [T] io::Take<T> = std::io::Take<T> }

// struct io::WriterPanicked
same! { [] io::WriterPanicked = std::io::WriterPanicked }

// trait io::BufRead
same_trait! { io::BufRead = std::io::BufRead }

// trait io::IsTerminal
item! { fn is_terminal<This: io::IsTerminal>(this: &This) -> bool { io::IsTerminal::is_terminal(this) } }
implements! { fs::File: io::IsTerminal }
implements! { ['x0] [] std::os::fd::BorrowedFd<'x0>: io::IsTerminal }
implements! { std::os::fd::OwnedFd: io::IsTerminal }
implements! { io::Stderr: io::IsTerminal }
implements! { ['x0] [] io::StderrLock<'x0>: io::IsTerminal }
implements! { io::Stdin: io::IsTerminal }
implements! { ['x0] [] io::StdinLock<'x0>: io::IsTerminal }
implements! { io::Stdout: io::IsTerminal }
implements! { ['x0] [] io::StdoutLock<'x0>: io::IsTerminal }

// trait io::Read
same_trait! { io::Read = std::io::Read }

// trait io::Seek
same_trait! { io::Seek = std::io::Seek }

// trait io::Write
same_trait! { io::Write = std::io::Write }

// type io::Result
same! { [T] io::Result<T> = std::io::Result<T> }
