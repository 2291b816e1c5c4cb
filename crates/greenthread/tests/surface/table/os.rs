// Made by docs.rs from the documentation of std 1.95; not edited by hand.

// struct os::fd::BorrowedFd
same! { ['fd] os::fd::BorrowedFd<'fd> = std::os::fd::BorrowedFd<'fd> }

// struct os::fd::OwnedFd
same! { [] os::fd::OwnedFd = std::os::fd::OwnedFd }

// trait os::fd::AsFd
same_trait! { os::fd::AsFd = std::os::fd::AsFd }

// trait os::fd::AsRawFd
same_trait! { os::fd::AsRawFd = std::os::fd::AsRawFd }

// trait os::fd::FromRawFd
same_trait! { os::fd::FromRawFd = std::os::fd::FromRawFd }

// trait os::fd::IntoRawFd
same_trait! { os::fd::IntoRawFd = std::os::fd::IntoRawFd }

// type os::fd::RawFd
same! { [] os::fd::RawFd = std::os::fd::RawFd }

// struct os::unix::net::Incoming
implements! { ['a] [] os::unix::net::Incoming<'a>: std::fmt::Debug }
implements! { ['a] [] os::unix::net::Incoming<'a>: Iterator<Item = Result<os::unix::net::UnixStream, std::io::Error>> }
implements! { ['a] [] os::unix::net::Incoming<'a>: std::panic::RefUnwindSafe }
implements! { ['a] [] os::unix::net::Incoming<'a>: Send }
implements! { ['a] [] os::unix::net::Incoming<'a>: Sync }
implements! { ['a] [] os::unix::net::Incoming<'a>: Unpin }
implements! { ['a] [] os::unix::net::Incoming<'a>: std::panic::UnwindSafe }

// struct os::unix::net::SocketAddr
same! { [] os::unix::net::SocketAddr = std::os::unix::net::SocketAddr }

// struct os::unix::net::UnixDatagram
item! { fn bind<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<os::unix::net::UnixDatagram> { os::unix::net::UnixDatagram::bind(path) } }
item! { fn bind_addr(socket_addr: &std::os::unix::net::SocketAddr) -> std::io::Result<os::unix::net::UnixDatagram> { os::unix::net::UnixDatagram::bind_addr(socket_addr) } }
item! { fn unbound() -> std::io::Result<os::unix::net::UnixDatagram> { os::unix::net::UnixDatagram::unbound() } }
item! { fn pair() -> std::io::Result<(os::unix::net::UnixDatagram, os::unix::net::UnixDatagram)> { os::unix::net::UnixDatagram::pair() } }
item! { fn connect<P: AsRef<std::path::Path>>(this: &os::unix::net::UnixDatagram, path: P) -> std::io::Result<()> { os::unix::net::UnixDatagram::connect(this, path) } }
item! { fn connect_addr(this: &os::unix::net::UnixDatagram, socket_addr: &std::os::unix::net::SocketAddr) -> std::io::Result<()> { os::unix::net::UnixDatagram::connect_addr(this, socket_addr) } }
item! { fn try_clone(this: &os::unix::net::UnixDatagram) -> std::io::Result<os::unix::net::UnixDatagram> { os::unix::net::UnixDatagram::try_clone(this) } }
item! { fn local_addr(this: &os::unix::net::UnixDatagram) -> std::io::Result<std::os::unix::net::SocketAddr> { os::unix::net::UnixDatagram::local_addr(this) } }
item! { fn peer_addr(this: &os::unix::net::UnixDatagram) -> std::io::Result<std::os::unix::net::SocketAddr> { os::unix::net::UnixDatagram::peer_addr(this) } }
item! { fn recv_from(this: &os::unix::net::UnixDatagram, buf: &mut [u8]) -> std::io::Result<(usize, std::os::unix::net::SocketAddr)> { os::unix::net::UnixDatagram::recv_from(this, buf) } }
item! { fn recv(this: &os::unix::net::UnixDatagram, buf: &mut [u8]) -> std::io::Result<usize> { os::unix::net::UnixDatagram::recv(this, buf) } }
item! { fn send_to<P: AsRef<std::path::Path>>(this: &os::unix::net::UnixDatagram, buf: &[u8], path: P) -> std::io::Result<usize> { os::unix::net::UnixDatagram::send_to(this, buf, path) } }
item! { fn send_to_addr(this: &os::unix::net::UnixDatagram, buf: &[u8], socket_addr: &std::os::unix::net::SocketAddr) -> std::io::Result<usize> { os::unix::net::UnixDatagram::send_to_addr(this, buf, socket_addr) } }
item! { fn send(this: &os::unix::net::UnixDatagram, buf: &[u8]) -> std::io::Result<usize> { os::unix::net::UnixDatagram::send(this, buf) } }
item! { fn set_read_timeout(this: &os::unix::net::UnixDatagram, timeout: Option<std::time::Duration>) -> std::io::Result<()> { os::unix::net::UnixDatagram::set_read_timeout(this, timeout) } }
item! { fn set_write_timeout(this: &os::unix::net::UnixDatagram, timeout: Option<std::time::Duration>) -> std::io::Result<()> { os::unix::net::UnixDatagram::set_write_timeout(this, timeout) } }
item! { fn read_timeout(this: &os::unix::net::UnixDatagram) -> std::io::Result<Option<std::time::Duration>> { os::unix::net::UnixDatagram::read_timeout(this) } }
item! { fn write_timeout(this: &os::unix::net::UnixDatagram) -> std::io::Result<Option<std::time::Duration>> { os::unix::net::UnixDatagram::write_timeout(this) } }
item! { fn set_nonblocking(this: &os::unix::net::UnixDatagram, nonblocking: bool) -> std::io::Result<()> { os::unix::net::UnixDatagram::set_nonblocking(this, nonblocking) } }
item! { fn take_error(this: &os::unix::net::UnixDatagram) -> std::io::Result<Option<std::io::Error>> { os::unix::net::UnixDatagram::take_error(this) } }
item! { fn shutdown(this: &os::unix::net::UnixDatagram, how: std::net::Shutdown) -> std::io::Result<()> { os::unix::net::UnixDatagram::shutdown(this, how) } }
implements! { os::unix::net::UnixDatagram: std::os::fd::AsFd }
implements! { os::unix::net::UnixDatagram: std::os::fd::AsRawFd }
implements! { os::unix::net::UnixDatagram: std::fmt::Debug }
implements! { os::unix::net::UnixDatagram: From<std::os::fd::OwnedFd> }
implements! { std::os::fd::OwnedFd: From<os::unix::net::UnixDatagram> }
implements! { os::unix::net::UnixDatagram: std::os::fd::FromRawFd }
implements! { os::unix::net::UnixDatagram: std::os::fd::IntoRawFd }
implements! { os::unix::net::UnixDatagram: std::panic::RefUnwindSafe }
implements! { os::unix::net::UnixDatagram: Send }
implements! { os::unix::net::UnixDatagram: Sync }
implements! { os::unix::net::UnixDatagram: Unpin }
implements! { os::unix::net::UnixDatagram: std::panic::UnwindSafe }

// struct os::unix::net::UnixListener
item! { fn bind<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<os::unix::net::UnixListener> { os::unix::net::UnixListener::bind(path) } }
item! { fn bind_addr(socket_addr: &std::os::unix::net::SocketAddr) -> std::io::Result<os::unix::net::UnixListener> { os::unix::net::UnixListener::bind_addr(socket_addr) } }
item! { fn accept(this: &os::unix::net::UnixListener) -> std::io::Result<(os::unix::net::UnixStream, std::os::unix::net::SocketAddr)> { os::unix::net::UnixListener::accept(this) } }
item! { fn try_clone(this: &os::unix::net::UnixListener) -> std::io::Result<os::unix::net::UnixListener> { os::unix::net::UnixListener::try_clone(this) } }
item! { fn local_addr(this: &os::unix::net::UnixListener) -> std::io::Result<std::os::unix::net::SocketAddr> { os::unix::net::UnixListener::local_addr(this) } }
item! { fn set_nonblocking(this: &os::unix::net::UnixListener, nonblocking: bool) -> std::io::Result<()> { os::unix::net::UnixListener::set_nonblocking(this, nonblocking) } }
item! { fn take_error(this: &os::unix::net::UnixListener) -> std::io::Result<Option<std::io::Error>> { os::unix::net::UnixListener::take_error(this) } }
item! { fn incoming(this: &os::unix::net::UnixListener) -> os::unix::net::Incoming<'_> { os::unix::net::UnixListener::incoming(this) } }
implements! { os::unix::net::UnixListener: std::os::fd::AsFd }
implements! { os::unix::net::UnixListener: std::os::fd::AsRawFd }
implements! { os::unix::net::UnixListener: std::fmt::Debug }
implements! { os::unix::net::UnixListener: From<std::os::fd::OwnedFd> }
implements! { std::os::fd::OwnedFd: From<os::unix::net::UnixListener> }
implements! { os::unix::net::UnixListener: std::os::fd::FromRawFd }
implements! { ['a] [] &'a os::unix::net::UnixListener: IntoIterator<Item = Result<os::unix::net::UnixStream, std::io::Error>, IntoIter = os::unix::net::Incoming<'a>> }
implements! { os::unix::net::UnixListener: std::os::fd::IntoRawFd }
implements! { os::unix::net::UnixListener: std::panic::RefUnwindSafe }
implements! { os::unix::net::UnixListener: Send }
implements! { os::unix::net::UnixListener: Sync }
implements! { os::unix::net::UnixListener: Unpin }
implements! { os::unix::net::UnixListener: std::panic::UnwindSafe }

// struct os::unix::net::UnixStream
item! { fn connect<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<os::unix::net::UnixStream> { os::unix::net::UnixStream::connect(path) } }
item! { fn connect_addr(socket_addr: &std::os::unix::net::SocketAddr) -> std::io::Result<os::unix::net::UnixStream> { os::unix::net::UnixStream::connect_addr(socket_addr) } }
item! { fn pair() -> std::io::Result<(os::unix::net::UnixStream, os::unix::net::UnixStream)> { os::unix::net::UnixStream::pair() } }
item! { fn try_clone(this: &os::unix::net::UnixStream) -> std::io::Result<os::unix::net::UnixStream> { os::unix::net::UnixStream::try_clone(this) } }
item! { fn local_addr(this: &os::unix::net::UnixStream) -> std::io::Result<std::os::unix::net::SocketAddr> { os::unix::net::UnixStream::local_addr(this) } }
item! { fn peer_addr(this: &os::unix::net::UnixStream) -> std::io::Result<std::os::unix::net::SocketAddr> { os::unix::net::UnixStream::peer_addr(this) } }
item! { fn set_read_timeout(this: &os::unix::net::UnixStream, timeout: Option<std::time::Duration>) -> std::io::Result<()> { os::unix::net::UnixStream::set_read_timeout(this, timeout) } }
item! { fn set_write_timeout(this: &os::unix::net::UnixStream, timeout: Option<std::time::Duration>) -> std::io::Result<()> { os::unix::net::UnixStream::set_write_timeout(this, timeout) } }
item! { fn read_timeout(this: &os::unix::net::UnixStream) -> std::io::Result<Option<std::time::Duration>> { os::unix::net::UnixStream::read_timeout(this) } }
item! { fn write_timeout(this: &os::unix::net::UnixStream) -> std::io::Result<Option<std::time::Duration>> { os::unix::net::UnixStream::write_timeout(this) } }
item! { fn set_nonblocking(this: &os::unix::net::UnixStream, nonblocking: bool) -> std::io::Result<()> { os::unix::net::UnixStream::set_nonblocking(this, nonblocking) } }
item! { fn take_error(this: &os::unix::net::UnixStream) -> std::io::Result<Option<std::io::Error>> { os::unix::net::UnixStream::take_error(this) } }
item! { fn shutdown(this: &os::unix::net::UnixStream, how: std::net::Shutdown) -> std::io::Result<()> { os::unix::net::UnixStream::shutdown(this, how) } }
implements! { os::unix::net::UnixStream: std::os::fd::AsFd }
implements! { os::unix::net::UnixStream: std::os::fd::AsRawFd }
implements! { os::unix::net::UnixStream: std::fmt::Debug }
implements! { os::unix::net::UnixStream: From<std::os::fd::OwnedFd> }
implements! { std::os::fd::OwnedFd: From<os::unix::net::UnixStream> }
implements! { os::unix::net::UnixStream: std::os::fd::FromRawFd }
implements! { os::unix::net::UnixStream: std::os::fd::IntoRawFd }
implements! { ['a] [] &'a os::unix::net::UnixStream: std::io::Read }
implements! { os::unix::net::UnixStream: std::io::Read }
implements! { ['a] [] &'a os::unix::net::UnixStream: std::io::Write }
implements! { os::unix::net::UnixStream: std::io::Write }
implements! { os::unix::net::UnixStream: std::panic::RefUnwindSafe }
implements! { os::unix::net::UnixStream: Send }
implements! { os::unix::net::UnixStream: Sync }
implements! { os::unix::net::UnixStream: Unpin }
implements! { os::unix::net::UnixStream: std::panic::UnwindSafe }

// fn os::unix::fs::chown
item! { fn chown<P: AsRef<std::path::Path>>(dir: P, uid: Option<u32>, gid: Option<u32>) -> std::io::Result<()> { os::unix::fs::chown(dir, uid, gid) } }

// fn os::unix::fs::chroot
item! { fn chroot<P: AsRef<std::path::Path>>(dir: P) -> std::io::Result<()> { os::unix::fs::chroot(dir) } }

// fn os::unix::fs::fchown
item! { fn fchown<F: std::os::fd::AsFd>(fd: F, uid: Option<u32>, gid: Option<u32>) -> std::io::Result<()> { os::unix::fs::fchown(fd, uid, gid) } }

// fn os::unix::fs::lchown
item! { fn lchown<P: AsRef<std::path::Path>>(dir: P, uid: Option<u32>, gid: Option<u32>) -> std::io::Result<()> { os::unix::fs::lchown(dir, uid, gid) } }

// fn os::unix::fs::symlink
item! { fn symlink<P: AsRef<std::path::Path>, Q: AsRef<std::path::Path>>(original: P, link: Q) -> std::io::Result<()> { os::unix::fs::symlink(original, link) } }

// trait os::unix::fs::DirBuilderExt
same_trait! { os::unix::fs::DirBuilderExt = std::os::unix::fs::DirBuilderExt }

// trait os::unix::fs::DirEntryExt
same_trait! { os::unix::fs::DirEntryExt = std::os::unix::fs::DirEntryExt }

// trait os::unix::fs::FileExt
same_trait! { os::unix::fs::FileExt = std::os::unix::fs::FileExt }

// trait os::unix::fs::FileTypeExt
same_trait! { os::unix::fs::FileTypeExt = std::os::unix::fs::FileTypeExt }

// trait os::unix::fs::MetadataExt
same_trait! { os::unix::fs::MetadataExt = std::os::unix::fs::MetadataExt }

// trait os::unix::fs::OpenOptionsExt
same_trait! { os::unix::fs::OpenOptionsExt = std::os::unix::fs::OpenOptionsExt }

// trait os::unix::fs::PermissionsExt
same_trait! { os::unix::fs::PermissionsExt = std::os::unix::fs::PermissionsExt }

// fn os::unix::process::parent_id
item! { fn parent_id() -> u32 { os::unix::process::parent_id() } }

// trait os::unix::process::CommandExt
item! { fn uid<This: os::unix::process::CommandExt>(this: &mut This, id: u32) -> &mut process::Command { os::unix::process::CommandExt::uid(this, id) } }
item! { fn gid<This: os::unix::process::CommandExt>(this: &mut This, id: u32) -> &mut process::Command { os::unix::process::CommandExt::gid(this, id) } }
item! { unsafe fn pre_exec<This: os::unix::process::CommandExt, F>(this: &mut This, f: F) -> &mut process::Command where F: FnMut() -> std::io::Result<()> + Send + Sync + 'static { unsafe { os::unix::process::CommandExt::pre_exec(this, f) } } }
item! { fn exec<This: os::unix::process::CommandExt>(this: &mut This) -> std::io::Error { os::unix::process::CommandExt::exec(this) } }
item! { fn arg0<This: os::unix::process::CommandExt, S>(this: &mut This, arg: S) -> &mut process::Command where S: AsRef<std::ffi::OsStr> { os::unix::process::CommandExt::arg0(this, arg) } }
item! { fn process_group<This: os::unix::process::CommandExt>(this: &mut This, pgroup: i32) -> &mut process::Command { os::unix::process::CommandExt::process_group(this, pgroup) } }
item! { unsafe fn before_exec<This: os::unix::process::CommandExt, F>(this: &mut This, f: F) -> &mut process::Command where F: FnMut() -> std::io::Result<()> + Send + Sync + 'static { unsafe { os::unix::process::CommandExt::before_exec(this, f) } } }
implements! { process::Command: os::unix::process::CommandExt }

// trait os::unix::process::ExitStatusExt
same_trait! { os::unix::process::ExitStatusExt = std::os::unix::process::ExitStatusExt }

// trait os::unix::thread::JoinHandleExt
left_out! { os::unix::thread::JoinHandleExt; item! { fn as_pthread_t<This: os::unix::thread::JoinHandleExt>(this: &This) -> std::os::unix::thread::RawPthread { os::unix::thread::JoinHandleExt::as_pthread_t(this) } } }
left_out! { os::unix::thread::JoinHandleExt; item! { fn into_pthread_t<This: os::unix::thread::JoinHandleExt>(this: This) -> std::os::unix::thread::RawPthread { os::unix::thread::JoinHandleExt::into_pthread_t(this) } } }
left_out! { os::unix::thread::JoinHandleExt; implements! { [T] [] thread::JoinHandle<T>: os::unix::thread::JoinHandleExt } }

// type os::unix::thread::RawPthread
left_out! { os::unix::thread::RawPthread; same! { [] os::unix::thread::RawPthread = std::os::unix::thread::RawPthread } }

// trait os::linux::fs::MetadataExt
same_trait! { os::linux::fs::MetadataExt = std::os::linux::fs::MetadataExt }

// trait os::linux::net::SocketAddrExt
same_trait! { os::linux::net::SocketAddrExt = std::os::linux::net::SocketAddrExt }

// trait os::linux::net::TcpStreamExt
item! { fn set_quickack<This: os::linux::net::TcpStreamExt>(this: &This, quickack: bool) -> std::io::Result<()> { os::linux::net::TcpStreamExt::set_quickack(this, quickack) } }
item! { fn quickack<This: os::linux::net::TcpStreamExt>(this: &This) -> std::io::Result<bool> { os::linux::net::TcpStreamExt::quickack(this) } }
implements! { net::TcpStream: os::linux::net::TcpStreamExt }
