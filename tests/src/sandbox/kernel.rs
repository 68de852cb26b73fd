//! Calls the kernel where neither std nor rustix does, and tells its errors.

use std::fmt::Display;
use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::lack::{code_of, told};

/// Which side of a fork this is.
pub(super) enum Forked {
    Parent(Pid),
    Child,
}

/// Forks. Only a process with one thread may call this.
pub(super) fn fork() -> io::Result<Forked> {
    // SAFETY: the process has one thread, so the child's memory is consistent.
    let child = checked(unsafe { libc::fork() }.into())?;
    Ok(Pid::from_raw(child as i32).map_or(Forked::Child, Forked::Parent))
}

/// Turns what a system call returned into a result.
pub(super) fn checked(returned: libc::c_long) -> io::Result<libc::c_long> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}

/// Copies a descriptor of another process. Unlike one that is sent, it counts for no limit that
/// other programs of the user can use up (unix(7), ETOOMANYREFS).
pub(super) fn copy_from(process: Pid, number: u32) -> Option<OwnedFd> {
    let handle = pidfd_open(process, PidfdFlags::empty()).ok()?;
    pidfd_getfd(handle, number.cast_signed(), PidfdGetfdFlags::empty()).ok()
}

/// Adds to an error what it is about.
pub(super) fn about(what: impl Display, error: impl Into<io::Error>) -> io::Error {
    let error = error.into();
    told(code_of(&error), format!("{what}: {error}"))
}

/// Ends this process with its parent, without which the harness loses sight of it. The kernel
/// forgets this when the process gets other privileges.
pub(super) fn end_with_parent() {
    _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}
