//! The traits of `std::os::fd`.

/// The conversions of a type from and to descriptors and std's type.
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

/// The traits of a file.
macro_rules! file {
    ($type:ident) => {
        impl std::os::unix::fs::FileExt for $type {
            fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
                self.0.read(buf, Some(offset), |file, buf| file.read_at(buf, offset))
            }

            fn write_at(&self, buf: &[u8], offset: u64) -> std::io::Result<usize> {
                self.0.write(&[std::io::IoSlice::new(buf)], Some(offset), |file| file.write_at(buf, offset))
            }
        }

        impl From<std::os::fd::OwnedFd> for $type {
            fn from(descriptor: std::os::fd::OwnedFd) -> Self {
                Self::new(descriptor.into())
            }
        }

        impl From<$type> for std::os::fd::OwnedFd {
            fn from(file: $type) -> Self {
                file.0.into_file().into()
            }
        }

        impl std::os::fd::AsFd for $type {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.0.as_fd()
            }
        }

        impl std::os::fd::AsRawFd for $type {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsFd::as_fd(&self.0).as_raw_fd()
            }
        }

        impl std::os::fd::FromRawFd for $type {
            unsafe fn from_raw_fd(descriptor: std::os::fd::RawFd) -> Self {
                // SAFETY: the contract of `from_raw_fd`, which the caller keeps: the descriptor is
                // open, and the caller owns it.
                Self::new(unsafe { std::fs::File::from_raw_fd(descriptor) })
            }
        }

        impl std::os::fd::IntoRawFd for $type {
            fn into_raw_fd(self) -> std::os::fd::RawFd {
                self.0.into_file().into_raw_fd()
            }
        }
    };
}
pub(crate) use file;

/// The traits of a standard stream, whose descriptor is `$descriptor`.
macro_rules! stream {
    ($type:ty, $descriptor:expr) => {
        impl std::os::fd::AsFd for $type {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                $descriptor
            }
        }

        impl std::os::fd::AsRawFd for $type {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                $descriptor.as_raw_fd()
            }
        }
    };
}
pub(crate) use stream;
