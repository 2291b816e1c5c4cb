//! The trait implementations that all types with a descriptor inside have in common. They are those
//! that std's types have, so those for descriptors differ between systems.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{descriptors, file, pipe_end, stream};
#[cfg(windows)]
pub(crate) use windows::{descriptors, file, pipe_end, stream};

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
