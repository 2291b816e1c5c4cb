//! A filter on system calls (seccomp), as containers have.

/// From now on this system call fails with EPERM on the calling OS thread, and in the threads and
/// processes that it starts.
pub(crate) fn forbid(call: libc::c_long) {
    refuse(call, libc::EPERM);
}

/// The same, with another error.
pub(crate) fn refuse(call: libc::c_long, errno: libc::c_int) {
    refuse_flag(call, 0, 0, errno);
}

/// The same, if the argument of this index, from 0, has this flag, or if the flag is 0.
pub(crate) fn refuse_flag(call: libc::c_long, argument: u32, flag: libc::c_int, errno: libc::c_int) {
    let statement = |code, k| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let jump = |code, k, jt, jf| libc::sock_filter { code: code as u16, jt, jf, k };
    // The arguments follow the number, the architecture and an address. They have 64 bits, of which
    // the lower half comes first on the machines that have such filters here.
    let low = 16 + 8 * argument;
    let mut filter = [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        jump(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, call as u32, 0, 3),
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, low),
        match flag {
            0 => jump(libc::BPF_JMP | libc::BPF_JA, 0, 0, 0),
            flag => jump(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, flag as u32, 0, 1),
        },
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | errno as u32),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the program is alive during the call, which copies it.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program), 0);
    }
}
