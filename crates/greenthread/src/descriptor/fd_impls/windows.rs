//! The traits of `std::os::windows::io`.

/// The conversions of a socket from and to the system's socket and std's type.
macro_rules! descriptors {
    ($type:ident, $std:ty) => {
        impl std::os::windows::io::AsSocket for $type {
            fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
                self.0.expose().lent_socket()
            }
        }

        impl std::os::windows::io::AsRawSocket for $type {
            fn as_raw_socket(&self) -> std::os::windows::io::RawSocket {
                self.0.expose().lent_socket().as_raw_socket()
            }
        }

        impl std::os::windows::io::IntoRawSocket for $type {
            fn into_raw_socket(self) -> std::os::windows::io::RawSocket {
                std::os::windows::io::OwnedSocket::from(self).into_raw_socket()
            }
        }

        impl std::os::windows::io::FromRawSocket for $type {
            unsafe fn from_raw_socket(socket: std::os::windows::io::RawSocket) -> Self {
                // SAFETY: `from_raw_socket` requires that the caller owns the socket, that it is
                // open, and that the caller gives it away.
                unsafe { std::os::windows::io::OwnedSocket::from_raw_socket(socket) }.into()
            }
        }

        impl From<std::os::windows::io::OwnedSocket> for $type {
            /// Converts a socket, which is taken to be in blocking mode: the system does not tell
            /// the mode.
            fn from(socket: std::os::windows::io::OwnedSocket) -> Self {
                crate::sys::fd::OwnedFd::from(socket).into()
            }
        }

        impl From<$type> for std::os::windows::io::OwnedSocket {
            fn from(socket: $type) -> Self {
                crate::sys::fd::OwnedFd::from(socket).into()
            }
        }

        impl From<$std> for $type {
            fn from(theirs: $std) -> Self {
                std::os::windows::io::OwnedSocket::from(theirs).into()
            }
        }

        impl From<$type> for $std {
            fn from(ours: $type) -> Self {
                std::os::windows::io::OwnedSocket::from(ours).into()
            }
        }
    };
}
pub(crate) use descriptors;

/// The conversions of one end of a pipe: from and to handles, and into what a child process is
/// given.
macro_rules! pipe_end {
    ($type:ident, $std:ty) => {
        impl From<crate::sys::fd::OwnedFd> for $type {
            fn from(descriptor: crate::sys::fd::OwnedFd) -> Self {
                $type(crate::descriptor::Descriptor::new(descriptor))
            }
        }

        impl From<$type> for crate::sys::fd::OwnedFd {
            fn from(end: $type) -> Self {
                end.0.into_owned()
            }
        }

        impl From<std::os::windows::io::OwnedHandle> for $type {
            fn from(handle: std::os::windows::io::OwnedHandle) -> Self {
                crate::sys::fd::OwnedFd::from(handle).into()
            }
        }

        impl From<$type> for std::os::windows::io::OwnedHandle {
            fn from(end: $type) -> Self {
                end.0.into_owned().into()
            }
        }

        impl From<$type> for std::process::Stdio {
            fn from(end: $type) -> Self {
                std::os::windows::io::OwnedHandle::from(end).into()
            }
        }

        impl std::os::windows::io::AsHandle for $type {
            fn as_handle(&self) -> std::os::windows::io::BorrowedHandle<'_> {
                self.0.expose().handle()
            }
        }

        impl std::os::windows::io::AsRawHandle for $type {
            fn as_raw_handle(&self) -> std::os::windows::io::RawHandle {
                self.0.expose().handle().as_raw_handle()
            }
        }

        impl std::os::windows::io::IntoRawHandle for $type {
            fn into_raw_handle(self) -> std::os::windows::io::RawHandle {
                std::os::windows::io::OwnedHandle::from(self).into_raw_handle()
            }
        }

        impl From<$std> for $type {
            fn from(theirs: $std) -> Self {
                std::os::windows::io::OwnedHandle::from(theirs).into()
            }
        }

        impl From<$type> for $std {
            fn from(ours: $type) -> Self {
                std::os::windows::io::OwnedHandle::from(ours).into()
            }
        }
    };
}
pub(crate) use pipe_end;

/// The traits of a file.
macro_rules! file {
    ($type:ident) => {
        impl std::os::windows::fs::FileExt for $type {
            fn seek_read(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
                self.0.read(buf, Some(offset), |file, buf| file.seek_read(buf, offset))
            }

            fn seek_write(&self, buf: &[u8], offset: u64) -> std::io::Result<usize> {
                self.0.write(&[std::io::IoSlice::new(buf)], Some(offset), |file| file.seek_write(buf, offset))
            }
        }

        impl From<std::os::windows::io::OwnedHandle> for $type {
            fn from(handle: std::os::windows::io::OwnedHandle) -> Self {
                Self::new(handle.into())
            }
        }

        impl From<$type> for std::os::windows::io::OwnedHandle {
            fn from(file: $type) -> Self {
                file.0.into_file().into()
            }
        }

        impl std::os::windows::io::AsHandle for $type {
            fn as_handle(&self) -> std::os::windows::io::BorrowedHandle<'_> {
                crate::sys::fd::AsFd::as_fd(&self.0).handle()
            }
        }

        impl std::os::windows::io::AsRawHandle for $type {
            fn as_raw_handle(&self) -> std::os::windows::io::RawHandle {
                crate::sys::fd::AsFd::as_fd(&self.0).handle().as_raw_handle()
            }
        }

        impl std::os::windows::io::FromRawHandle for $type {
            unsafe fn from_raw_handle(handle: std::os::windows::io::RawHandle) -> Self {
                // SAFETY: the contract of `from_raw_handle`, which the caller keeps: the handle is
                // open, and the caller owns it.
                Self::new(unsafe { std::fs::File::from_raw_handle(handle) })
            }
        }

        impl std::os::windows::io::IntoRawHandle for $type {
            fn into_raw_handle(self) -> std::os::windows::io::RawHandle {
                self.0.into_file().into_raw_handle()
            }
        }
    };
}
pub(crate) use file;

/// The traits of a standard stream, whose descriptor is `$descriptor`.
macro_rules! stream {
    ($type:ty, $descriptor:expr) => {
        impl std::os::windows::io::AsHandle for $type {
            fn as_handle(&self) -> std::os::windows::io::BorrowedHandle<'_> {
                $descriptor.handle()
            }
        }

        impl std::os::windows::io::AsRawHandle for $type {
            fn as_raw_handle(&self) -> std::os::windows::io::RawHandle {
                $descriptor.handle().as_raw_handle()
            }
        }
    };
}
pub(crate) use stream;
