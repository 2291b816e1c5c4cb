// Made by docs.rs from the documentation of std 1.95; not edited by hand.

// fn process::abort
item! { fn abort() -> ! { process::abort() } }

// fn process::exit
item! { fn exit(code: i32) -> ! { process::exit(code) } }

// fn process::id
item! { fn id() -> u32 { process::id() } }

// struct process::Child
item! { fn stdin(this: process::Child) -> Option<process::ChildStdin> { this.stdin } }
item! { fn stdout(this: process::Child) -> Option<process::ChildStdout> { this.stdout } }
item! { fn stderr(this: process::Child) -> Option<process::ChildStderr> { this.stderr } }
item! { fn kill(this: &mut process::Child) -> std::io::Result<()> { process::Child::kill(this) } }
item! { fn id(this: &process::Child) -> u32 { process::Child::id(this) } }
item! { fn wait(this: &mut process::Child) -> std::io::Result<std::process::ExitStatus> { process::Child::wait(this) } }
item! { fn try_wait(this: &mut process::Child) -> std::io::Result<Option<std::process::ExitStatus>> { process::Child::try_wait(this) } }
item! { fn wait_with_output(this: process::Child) -> std::io::Result<std::process::Output> { process::Child::wait_with_output(this) } }
implements! { process::Child: std::fmt::Debug }
implements! { process::Child: std::panic::RefUnwindSafe }
implements! { process::Child: Send }
implements! { process::Child: Sync }
implements! { process::Child: Unpin }
implements! { process::Child: std::panic::UnwindSafe }

// struct process::ChildStderr
implements! { process::ChildStderr: std::os::fd::AsFd }
implements! { process::ChildStderr: std::os::fd::AsRawFd }
implements! { process::ChildStderr: std::fmt::Debug }
implements! { std::os::fd::OwnedFd: From<process::ChildStderr> }
implements! { std::process::Stdio: From<process::ChildStderr> }
implements! { process::ChildStderr: From<std::os::fd::OwnedFd> }
implements! { process::ChildStderr: std::os::fd::IntoRawFd }
implements! { process::ChildStderr: std::io::Read }
implements! { process::ChildStderr: std::panic::RefUnwindSafe }
implements! { process::ChildStderr: Send }
implements! { process::ChildStderr: Sync }
implements! { process::ChildStderr: Unpin }
implements! { process::ChildStderr: std::panic::UnwindSafe }

// struct process::ChildStdin
implements! { process::ChildStdin: std::os::fd::AsFd }
implements! { process::ChildStdin: std::os::fd::AsRawFd }
implements! { process::ChildStdin: std::fmt::Debug }
implements! { std::os::fd::OwnedFd: From<process::ChildStdin> }
implements! { std::process::Stdio: From<process::ChildStdin> }
implements! { process::ChildStdin: From<std::os::fd::OwnedFd> }
implements! { process::ChildStdin: std::os::fd::IntoRawFd }
implements! { ['x0] [] &'x0 process::ChildStdin: std::io::Write }
implements! { process::ChildStdin: std::io::Write }
implements! { process::ChildStdin: std::panic::RefUnwindSafe }
implements! { process::ChildStdin: Send }
implements! { process::ChildStdin: Sync }
implements! { process::ChildStdin: Unpin }
implements! { process::ChildStdin: std::panic::UnwindSafe }

// struct process::ChildStdout
implements! { process::ChildStdout: std::os::fd::AsFd }
implements! { process::ChildStdout: std::os::fd::AsRawFd }
implements! { process::ChildStdout: std::fmt::Debug }
implements! { std::os::fd::OwnedFd: From<process::ChildStdout> }
implements! { std::process::Stdio: From<process::ChildStdout> }
implements! { process::ChildStdout: From<std::os::fd::OwnedFd> }
implements! { process::ChildStdout: std::os::fd::IntoRawFd }
implements! { process::ChildStdout: std::io::Read }
implements! { process::ChildStdout: std::panic::RefUnwindSafe }
implements! { process::ChildStdout: Send }
implements! { process::ChildStdout: Sync }
implements! { process::ChildStdout: Unpin }
implements! { process::ChildStdout: std::panic::UnwindSafe }

// struct process::Command
item! { fn new<S: AsRef<std::ffi::OsStr>>(program: S) -> process::Command { process::Command::new(program) } }
item! { fn arg<S: AsRef<std::ffi::OsStr>>(this: &mut process::Command, arg: S) -> &mut process::Command { process::Command::arg(this, arg) } }
item! { fn args<I, S>(this: &mut process::Command, args: I) -> &mut process::Command where I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr> { process::Command::args(this, args) } }
item! { fn env<K, V>(this: &mut process::Command, key: K, val: V) -> &mut process::Command where K: AsRef<std::ffi::OsStr>, V: AsRef<std::ffi::OsStr> { process::Command::env(this, key, val) } }
item! { fn envs<I, K, V>(this: &mut process::Command, vars: I) -> &mut process::Command where I: IntoIterator<Item = (K, V)>, K: AsRef<std::ffi::OsStr>, V: AsRef<std::ffi::OsStr> { process::Command::envs(this, vars) } }
item! { fn env_remove<K: AsRef<std::ffi::OsStr>>(this: &mut process::Command, key: K) -> &mut process::Command { process::Command::env_remove(this, key) } }
item! { fn env_clear(this: &mut process::Command) -> &mut process::Command { process::Command::env_clear(this) } }
item! { fn current_dir<P: AsRef<std::path::Path>>(this: &mut process::Command, dir: P) -> &mut process::Command { process::Command::current_dir(this, dir) } }
item! { fn stdin<T: Into<std::process::Stdio>>(this: &mut process::Command, cfg: T) -> &mut process::Command { process::Command::stdin(this, cfg) } }
item! { fn stdout<T: Into<std::process::Stdio>>(this: &mut process::Command, cfg: T) -> &mut process::Command { process::Command::stdout(this, cfg) } }
item! { fn stderr<T: Into<std::process::Stdio>>(this: &mut process::Command, cfg: T) -> &mut process::Command { process::Command::stderr(this, cfg) } }
item! { fn spawn(this: &mut process::Command) -> std::io::Result<process::Child> { process::Command::spawn(this) } }
item! { fn output(this: &mut process::Command) -> std::io::Result<std::process::Output> { process::Command::output(this) } }
item! { fn status(this: &mut process::Command) -> std::io::Result<std::process::ExitStatus> { process::Command::status(this) } }
item! { fn get_program(this: &process::Command) -> &std::ffi::OsStr { process::Command::get_program(this) } }
item! { fn get_args(this: &process::Command) -> std::process::CommandArgs<'_> { process::Command::get_args(this) } }
item! { fn get_envs(this: &process::Command) -> std::process::CommandEnvs<'_> { process::Command::get_envs(this) } }
item! { fn get_current_dir(this: &process::Command) -> Option<&std::path::Path> { process::Command::get_current_dir(this) } }
implements! { process::Command: os::unix::process::CommandExt }
implements! { process::Command: std::fmt::Debug }
implements! { process::Command: Send }
implements! { process::Command: Sync }
implements! { process::Command: Unpin }

// struct process::CommandArgs
same! { ['a] process::CommandArgs<'a> = std::process::CommandArgs<'a> }

// struct process::CommandEnvs
same! { ['a] process::CommandEnvs<'a> = std::process::CommandEnvs<'a> }

// struct process::ExitCode
same! { [] process::ExitCode = std::process::ExitCode }

// struct process::ExitStatus
same! { [] process::ExitStatus = std::process::ExitStatus }

// struct process::Output
same! { [] process::Output = std::process::Output }

// struct process::Stdio
same! { [] process::Stdio = std::process::Stdio }

// trait process::Termination
same_trait! { process::Termination = std::process::Termination }
