// Made by docs.rs from the documentation of std 1.95; not edited by hand.

// enum fs::TryLockError
same! { [] fs::TryLockError = std::fs::TryLockError }

// fn fs::canonicalize
item! { fn canonicalize<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<std::path::PathBuf> { fs::canonicalize(path) } }

// fn fs::copy
item! { fn copy<P: AsRef<std::path::Path>, Q: AsRef<std::path::Path>>(from: P, to: Q) -> std::io::Result<u64> { fs::copy(from, to) } }

// fn fs::create_dir
item! { fn create_dir<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<()> { fs::create_dir(path) } }

// fn fs::create_dir_all
item! { fn create_dir_all<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<()> { fs::create_dir_all(path) } }

// fn fs::exists
item! { fn exists<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<bool> { fs::exists(path) } }

// fn fs::hard_link
item! { fn hard_link<P: AsRef<std::path::Path>, Q: AsRef<std::path::Path>>(original: P, link: Q) -> std::io::Result<()> { fs::hard_link(original, link) } }

// fn fs::metadata
item! { fn metadata<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<std::fs::Metadata> { fs::metadata(path) } }

// fn fs::read
item! { fn read<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<Vec<u8>> { fs::read(path) } }

// fn fs::read_dir
item! { fn read_dir<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<fs::ReadDir> { fs::read_dir(path) } }

// fn fs::read_link
item! { fn read_link<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<std::path::PathBuf> { fs::read_link(path) } }

// fn fs::read_to_string
item! { fn read_to_string<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<String> { fs::read_to_string(path) } }

// fn fs::remove_dir
item! { fn remove_dir<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<()> { fs::remove_dir(path) } }

// fn fs::remove_dir_all
item! { fn remove_dir_all<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<()> { fs::remove_dir_all(path) } }

// fn fs::remove_file
item! { fn remove_file<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<()> { fs::remove_file(path) } }

// fn fs::rename
item! { fn rename<P: AsRef<std::path::Path>, Q: AsRef<std::path::Path>>(from: P, to: Q) -> std::io::Result<()> { fs::rename(from, to) } }

// fn fs::set_permissions
item! { fn set_permissions<P: AsRef<std::path::Path>>(path: P, perm: std::fs::Permissions) -> std::io::Result<()> { fs::set_permissions(path, perm) } }

// fn fs::soft_link
item! { fn soft_link<P: AsRef<std::path::Path>, Q: AsRef<std::path::Path>>(original: P, link: Q) -> std::io::Result<()> { fs::soft_link(original, link) } }

// fn fs::symlink_metadata
item! { fn symlink_metadata<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<std::fs::Metadata> { fs::symlink_metadata(path) } }

// fn fs::write
item! { fn write<P: AsRef<std::path::Path>, C: AsRef<[u8]>>(path: P, contents: C) -> std::io::Result<()> { fs::write(path, contents) } }

// struct fs::DirBuilder
item! { fn new() -> fs::DirBuilder { fs::DirBuilder::new() } }
item! { fn recursive(this: &mut fs::DirBuilder, recursive: bool) -> &mut fs::DirBuilder { fs::DirBuilder::recursive(this, recursive) } }
item! { fn create<P: AsRef<std::path::Path>>(this: &fs::DirBuilder, path: P) -> std::io::Result<()> { fs::DirBuilder::create(this, path) } }
implements! { fs::DirBuilder: std::fmt::Debug }
implements! { fs::DirBuilder: std::os::unix::fs::DirBuilderExt }
implements! { fs::DirBuilder: std::panic::RefUnwindSafe }
implements! { fs::DirBuilder: Send }
implements! { fs::DirBuilder: Sync }
implements! { fs::DirBuilder: Unpin }
implements! { fs::DirBuilder: std::panic::UnwindSafe }

// struct fs::DirEntry
item! { fn path(this: &fs::DirEntry) -> std::path::PathBuf { fs::DirEntry::path(this) } }
item! { fn metadata(this: &fs::DirEntry) -> std::io::Result<std::fs::Metadata> { fs::DirEntry::metadata(this) } }
item! { fn file_type(this: &fs::DirEntry) -> std::io::Result<std::fs::FileType> { fs::DirEntry::file_type(this) } }
item! { fn file_name(this: &fs::DirEntry) -> std::ffi::OsString { fs::DirEntry::file_name(this) } }
implements! { fs::DirEntry: std::fmt::Debug }
implements! { fs::DirEntry: std::os::unix::fs::DirEntryExt }
implements! { fs::DirEntry: std::panic::RefUnwindSafe }
implements! { fs::DirEntry: Send }
implements! { fs::DirEntry: Sync }
implements! { fs::DirEntry: Unpin }
implements! { fs::DirEntry: std::panic::UnwindSafe }

// struct fs::File
item! { fn open<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<fs::File> { fs::File::open(path) } }
item! { fn create<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<fs::File> { fs::File::create(path) } }
item! { fn create_new<P: AsRef<std::path::Path>>(path: P) -> std::io::Result<fs::File> { fs::File::create_new(path) } }
item! { fn options() -> fs::OpenOptions { fs::File::options() } }
item! { fn sync_all(this: &fs::File) -> std::io::Result<()> { fs::File::sync_all(this) } }
item! { fn sync_data(this: &fs::File) -> std::io::Result<()> { fs::File::sync_data(this) } }
item! { fn lock(this: &fs::File) -> std::io::Result<()> { fs::File::lock(this) } }
item! { fn lock_shared(this: &fs::File) -> std::io::Result<()> { fs::File::lock_shared(this) } }
item! { fn try_lock(this: &fs::File) -> Result<(), std::fs::TryLockError> { fs::File::try_lock(this) } }
item! { fn try_lock_shared(this: &fs::File) -> Result<(), std::fs::TryLockError> { fs::File::try_lock_shared(this) } }
item! { fn unlock(this: &fs::File) -> std::io::Result<()> { fs::File::unlock(this) } }
item! { fn set_len(this: &fs::File, size: u64) -> std::io::Result<()> { fs::File::set_len(this, size) } }
item! { fn metadata(this: &fs::File) -> std::io::Result<std::fs::Metadata> { fs::File::metadata(this) } }
item! { fn try_clone(this: &fs::File) -> std::io::Result<fs::File> { fs::File::try_clone(this) } }
item! { fn set_permissions(this: &fs::File, perm: std::fs::Permissions) -> std::io::Result<()> { fs::File::set_permissions(this, perm) } }
item! { fn set_times(this: &fs::File, times: std::fs::FileTimes) -> std::io::Result<()> { fs::File::set_times(this, times) } }
item! { fn set_modified(this: &fs::File, time: std::time::SystemTime) -> std::io::Result<()> { fs::File::set_modified(this, time) } }
implements! { fs::File: std::os::fd::AsFd }
implements! { fs::File: std::os::fd::AsRawFd }
implements! { fs::File: std::fmt::Debug }
implements! { fs::File: std::os::unix::fs::FileExt }
implements! { std::os::fd::OwnedFd: From<fs::File> }
implements! { std::process::Stdio: From<fs::File> }
implements! { fs::File: From<std::os::fd::OwnedFd> }
implements! { fs::File: std::os::fd::FromRawFd }
implements! { fs::File: std::os::fd::IntoRawFd }
implements! { fs::File: io::IsTerminal }
implements! { ['x0] [] &'x0 fs::File: std::io::Read }
implements! { fs::File: std::io::Read }
implements! { ['x0] [] &'x0 fs::File: std::io::Seek }
implements! { fs::File: std::io::Seek }
implements! { ['x0] [] &'x0 fs::File: std::io::Write }
implements! { fs::File: std::io::Write }
implements! { fs::File: std::panic::RefUnwindSafe }
implements! { fs::File: Send }
implements! { fs::File: Sync }
implements! { fs::File: Unpin }
implements! { fs::File: std::panic::UnwindSafe }

// struct fs::FileTimes
same! { [] fs::FileTimes = std::fs::FileTimes }

// struct fs::FileType
same! { [] fs::FileType = std::fs::FileType }

// struct fs::Metadata
same! { [] fs::Metadata = std::fs::Metadata }

// struct fs::OpenOptions
item! { fn new() -> fs::OpenOptions { fs::OpenOptions::new() } }
item! { fn read(this: &mut fs::OpenOptions, read: bool) -> &mut fs::OpenOptions { fs::OpenOptions::read(this, read) } }
item! { fn write(this: &mut fs::OpenOptions, write: bool) -> &mut fs::OpenOptions { fs::OpenOptions::write(this, write) } }
item! { fn append(this: &mut fs::OpenOptions, append: bool) -> &mut fs::OpenOptions { fs::OpenOptions::append(this, append) } }
item! { fn truncate(this: &mut fs::OpenOptions, truncate: bool) -> &mut fs::OpenOptions { fs::OpenOptions::truncate(this, truncate) } }
item! { fn create(this: &mut fs::OpenOptions, create: bool) -> &mut fs::OpenOptions { fs::OpenOptions::create(this, create) } }
item! { fn create_new(this: &mut fs::OpenOptions, create_new: bool) -> &mut fs::OpenOptions { fs::OpenOptions::create_new(this, create_new) } }
item! { fn open<P: AsRef<std::path::Path>>(this: &fs::OpenOptions, path: P) -> std::io::Result<fs::File> { fs::OpenOptions::open(this, path) } }
implements! { fs::OpenOptions: Clone }
implements! { fs::OpenOptions: std::fmt::Debug }
implements! { fs::OpenOptions: std::os::unix::fs::OpenOptionsExt }
implements! { fs::OpenOptions: std::panic::RefUnwindSafe }
implements! { fs::OpenOptions: Send }
implements! { fs::OpenOptions: Sync }
implements! { fs::OpenOptions: Unpin }
implements! { fs::OpenOptions: std::panic::UnwindSafe }

// struct fs::Permissions
same! { [] fs::Permissions = std::fs::Permissions }

// struct fs::ReadDir
implements! { fs::ReadDir: std::fmt::Debug }
implements! { fs::ReadDir: Iterator<Item = Result<fs::DirEntry, std::io::Error>> }
implements! { fs::ReadDir: std::panic::RefUnwindSafe }
implements! { fs::ReadDir: Send }
implements! { fs::ReadDir: Sync }
implements! { fs::ReadDir: Unpin }
implements! { fs::ReadDir: std::panic::UnwindSafe }
