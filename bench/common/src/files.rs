//! Random reads of one large file, and whole reads of many small ones.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::{env, io};

/// The size of the large file, in bytes.
const FILE: u64 = 256 << 20;
/// The size of the blocks in which it is read.
pub const BLOCK: usize = 4096;

/// The large file. It is beside the program, and the runner has made it.
pub fn data_path() -> PathBuf {
    env::current_exe().expect("a program has a path").with_file_name("bench-data")
}

/// The number of small files.
pub const SMALL_FILES: usize = 2000;
/// The size of each, in bytes.
pub const SMALL: usize = 18_500;

/// One of the small files.
pub fn small_path(index: usize) -> PathBuf {
    let directory = env::current_exe().expect("a program has a path").with_file_name("bench-small");
    directory.join(format!("{}/{index}", index % 20))
}

/// The offsets at which one thread reads: random blocks.
#[derive(Clone, Debug)]
pub struct Offsets(u64);

impl Offsets {
    /// The offsets differ for each thread and each round.
    pub fn new(thread: usize, round: usize) -> Offsets {
        Offsets(((round as u64) << 32 | thread as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

impl Iterator for Offsets {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        Some((self.0 >> 33) % (FILE / BLOCK as u64) * BLOCK as u64)
    }
}

/// Each block begins with its offset, so that a wrong read is seen.
pub fn check(block: &[u8], offset: u64) {
    assert_eq!(block[..8], offset.to_ne_bytes(), "the block at {offset}");
}

/// Makes the files, if they aren't there.
pub fn make_data() -> io::Result<()> {
    use io::Write;
    for index in 0..SMALL_FILES {
        let path = small_path(index);
        if path.metadata().is_ok_and(|file| file.len() == SMALL as u64) {
            continue;
        }
        fs::create_dir_all(path.parent().expect("a directory"))?;
        fs::write(path, vec![index as u8; SMALL])?;
    }
    let path = data_path();
    if path.metadata().is_ok_and(|data| data.len() == FILE) {
        return Ok(());
    }
    let mut file = io::BufWriter::new(File::create(path)?);
    for offset in (0..FILE).step_by(BLOCK) {
        let mut block = [0x55; BLOCK];
        block[..8].copy_from_slice(&offset.to_ne_bytes());
        file.write_all(&block)?;
    }
    file.into_inner()?.sync_all()
}

/// Before a round of a cold work, has the kernel drop the file from its cache. Before the first
/// round of a cached work, reads all of it.
pub fn prepare(cold: bool, round: usize) {
    let mut file = File::open(data_path()).expect("the runner has made it");
    if cold {
        // SAFETY: advice about a file that is open.
        let result = unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
        assert_eq!(result, 0, "posix_fadvise");
    } else if round == 0 {
        io::copy(&mut file, &mut io::sink()).expect("a file that can be read");
    }
}
