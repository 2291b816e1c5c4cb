//! The trait implementations that all types with a descriptor inside have in common. They are those
//! that std's types have.

/// The conversions from and to descriptors and std's type.
macro_rules! descriptors {
    ($type:ident, $std:ty) => {
        impl std::os::fd::AsFd for $type {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.0.expose()
            }
        }

        impl std::os::fd::AsRawFd for $type {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsFd::as_fd(self).as_raw_fd()
            }
        }

        impl std::os::fd::IntoRawFd for $type {
            fn into_raw_fd(self) -> std::os::fd::RawFd {
                std::os::fd::OwnedFd::from(self).into_raw_fd()
            }
        }

        impl std::os::fd::FromRawFd for $type {
            unsafe fn from_raw_fd(descriptor: std::os::fd::RawFd) -> Self {
                // SAFETY: `from_raw_fd` requires that the caller owns the descriptor, that it is
                // open, and that the caller gives it away.
                unsafe { std::os::fd::OwnedFd::from_raw_fd(descriptor) }.into()
            }
        }

        impl From<$std> for $type {
            fn from(theirs: $std) -> Self {
                std::os::fd::OwnedFd::from(theirs).into()
            }
        }

        impl From<$type> for $std {
            fn from(ours: $type) -> Self {
                std::os::fd::OwnedFd::from(ours).into()
            }
        }
    };
}
pub(crate) use descriptors;

/// `Read`, by the methods of the descriptor.
macro_rules! reading {
    ($($type:ty),*) => { $(
        impl std::io::Read for $type {
            fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
                self.0.read(buf)
            }

            fn read_vectored(&mut self, bufs: &mut [std::io::IoSliceMut<'_>]) -> std::io::Result<usize> {
                self.0.read_vectored(bufs)
            }
        }
    )* };
}
pub(crate) use reading;

/// `Write`, by the methods of the descriptor.
macro_rules! writing {
    ($($type:ty),*) => { $(
        impl std::io::Write for $type {
            fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
                self.0.write(buf)
            }

            fn write_vectored(&mut self, bufs: &[std::io::IoSlice<'_>]) -> std::io::Result<usize> {
                self.0.write_vectored(bufs)
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
    )* };
}
pub(crate) use writing;

/// The conversions of one end of a pipe: from and to descriptors, and into what a child process is
/// given.
macro_rules! pipe_end {
    ($type:ident, $std:ty) => {
        impl From<std::os::fd::OwnedFd> for $type {
            /// Keeps the descriptor in the mode that it is in, blocking or non-blocking. Each call
            /// follows the mode that the descriptor has at that moment.
            fn from(descriptor: std::os::fd::OwnedFd) -> Self {
                $type(crate::descriptor::Descriptor::new(descriptor))
            }
        }

        impl From<$type> for std::os::fd::OwnedFd {
            fn from(end: $type) -> Self {
                end.0.into_owned()
            }
        }

        impl From<$type> for std::process::Stdio {
            fn from(end: $type) -> Self {
                std::os::fd::OwnedFd::from(end).into()
            }
        }

        crate::descriptor::fd_impls::descriptors!($type, $std);
    };
}
pub(crate) use pipe_end;
