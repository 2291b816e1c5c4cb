//! A command in a container's restrictions: a filter on system calls (seccomp), a control group.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::complaints::Complaints;

/// The calls that Docker's default profile refuses to a process without capabilities, and that this
/// kernel has. (The profile lists what it allows. Calls that a program is unlikely to make are left
/// out here.)
const REFUSED_BY_DOCKER: &[libc::c_long] = &[
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_syslog,
    libc::SYS_quotactl,
    libc::SYS_mbind,
    libc::SYS_move_pages,
];

/// `MADV_GUARD_INSTALL`, by which the kernel makes guards without maps.
const GUARD_INSTALL: u32 = 102;
/// The offset of the lower half of a system call's third argument in `seccomp_data`.
const THIRD_ARGUMENT: u32 = 16 + 2 * 8 + if cfg!(target_endian = "big") { 4 } else { 0 };

/// What `cargo xtask` says of the command.
pub(crate) const USAGE: &str = "\
usage: cargo xtask contain LIMIT.. -- COMMAND..
  docker     refuses the system calls that Docker does (io_uring among them)
  no-guard   refuses madvise(MADV_GUARD_INSTALL), so that guards are made by mprotect
  cpus=N     a quota of processor time, in processors (a fraction is allowed); needs root
  memory=N   a limit of memory, in MiB; needs root";

/// Runs a command with limits, as `USAGE` says.
pub(crate) fn contain(arguments: &[&str]) -> Result<ExitCode, Complaints> {
    let usage = || vec![USAGE.to_owned()];
    let end = arguments.iter().position(|argument| *argument == "--").ok_or_else(usage)?;
    let (limits, [_, program, rest @ ..]) = arguments.split_at(end) else { return Err(usage()) };
    let mut command = Command::new(program);
    command.args(rest);
    let (mut groups, mut filters) = (Vec::new(), Vec::new());
    for limit in limits {
        let filter = match limit.split_once('=') {
            None if *limit == "docker" => calls(REFUSED_BY_DOCKER),
            None if *limit == "no-guard" => guards(),
            Some(("cpus", number)) => {
                groups.push(Group::new("cpu", "cpu.max", |group, is_second| {
                    let quota = number.parse::<f64>().ok().filter(|cpus| *cpus > 0.0)? * 100_000.0;
                    if is_second {
                        write(&group.join("cpu.max"), &format!("{quota:.0} 100000"))
                    } else {
                        write(&group.join("cpu.cfs_quota_us"), &format!("{quota:.0}"))
                    }
                })?);
                continue;
            }
            Some(("memory", number)) => {
                groups.push(Group::new("memory", "memory.max", |group, is_second| {
                    let bytes = number.parse::<u64>().ok()?.checked_mul(1 << 20)?;
                    let file = if is_second { "memory.max" } else { "memory.limit_in_bytes" };
                    write(&group.join(file), &bytes.to_string())
                })?);
                continue;
            }
            _ => return Err(usage()),
        };
        filters.push(filter);
    }
    let processes: Vec<PathBuf> = groups.iter().map(|group| group.0.join("cgroup.procs")).collect();
    // SAFETY: between fork and exec there is only this OS thread, and xtask has started no other.
    // So allocating there does no harm.
    unsafe {
        command.pre_exec(move || {
            processes.iter().try_for_each(|file| fs::write(file, "0"))?;
            filters.iter().try_for_each(|filter| install(filter))
        });
    }
    let status = command.status().map_err(|error| vec![format!("{program} can't be started: {error}")])?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A control group, until dropped.
struct Group(PathBuf);

impl Group {
    /// Makes a group with this limit, in the second version of control groups, or in the first.
    fn new(
        controller: &str,
        file: &str,
        set: impl Fn(&Path, bool) -> Option<()>,
    ) -> Result<Self, Complaints> {
        let root = Path::new("/sys/fs/cgroup");
        let name = format!("greenthread-{}", std::process::id());
        for (parent, is_second) in [(root.to_owned(), true), (root.join(controller), false)] {
            let group = Group(parent.join(&name));
            let is_there = fs::create_dir(&group.0).is_ok();
            if is_there && (!is_second || group.0.join(file).exists()) && set(&group.0, is_second).is_some() {
                return Ok(group);
            }
        }
        Err(vec![format!("no control group for {controller} can be made in {}", root.display())])
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        _ = fs::remove_dir(&self.0);
    }
}

fn write(file: &Path, text: &str) -> Option<()> {
    fs::write(file, text).ok()
}

fn statement(code: u32, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

/// Goes on with the next statement if the loaded number is `k`, else skips `otherwise` statements.
fn unless(k: u32, otherwise: u8) -> libc::sock_filter {
    let code = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    libc::sock_filter { code: code as u16, jt: 0, jf: otherwise, k }
}

const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;

/// Refuses these calls with EPERM.
fn calls(refused: &[libc::c_long]) -> Vec<libc::sock_filter> {
    let mut filter = vec![statement(LOAD, 0)];
    for call in refused {
        filter.extend([unless(*call as u32, 1), statement(RETURN, REFUSE)]);
    }
    filter.push(statement(RETURN, libc::SECCOMP_RET_ALLOW));
    filter
}

/// Refuses to make guards, with EPERM.
fn guards() -> Vec<libc::sock_filter> {
    vec![
        statement(LOAD, 0),
        unless(libc::SYS_madvise as u32, 3),
        statement(LOAD, THIRD_ARGUMENT),
        unless(GUARD_INSTALL, 1),
        statement(RETURN, REFUSE),
        statement(RETURN, libc::SECCOMP_RET_ALLOW),
    ]
}

/// Installs a filter in the calling OS thread, and in what it starts from now on.
fn install(filter: &[libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
    // SAFETY: the program is alive during the calls, which copy it and do not change it.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}
