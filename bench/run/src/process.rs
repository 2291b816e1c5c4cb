//! Processes and OS threads: their processors, and their use of resources.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;
use std::{io, mem};

/// The resources that the peer's process has used, from its start to its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub cpu: Duration,
    /// Context switches: when it had nothing to do, and when its time slice was over.
    pub voluntary: u64,
    pub involuntary: u64,
    /// The most memory that it had, in KiB.
    pub max_rss: u64,
}

/// Makes a program run on this processor only.
pub fn on_processor(number: usize, command: &mut Command) {
    // SAFETY: between fork and exec it makes one system call.
    unsafe { command.pre_exec(move || pin(number)) };
}

/// Makes the calling OS thread run on this processor only.
pub fn pin(processor: usize) -> io::Result<()> {
    // SAFETY: a set of zeros is one, and lives during the call.
    let result = unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(processor, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Waits for the end. Returns the status, and the resources of the whole process.
pub fn wait(child: Child) -> io::Result<(ExitStatus, Usage)> {
    let mut status = 0;
    // SAFETY: a rusage of zeros is one.
    let mut usage: libc::rusage = unsafe { mem::zeroed() };
    // SAFETY: both places are valid. `Child` is taken by value, so nobody waits for it again.
    if unsafe { libc::wait4(child.id() as libc::pid_t, &mut status, 0, &mut usage) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let duration = |t: libc::timeval| Duration::new(t.tv_sec as u64, 1000 * t.tv_usec as u32);
    let usage = Usage {
        cpu: duration(usage.ru_utime) + duration(usage.ru_stime),
        voluntary: usage.ru_nvcsw as u64,
        involuntary: usage.ru_nivcsw as u64,
        max_rss: usage.ru_maxrss as u64,
    };
    Ok((ExitStatus::from_raw(status), usage))
}
