//! Forks the current process.

use std::io;

use rustix::process::Pid;

/// Which side of a fork this is.
pub(super) enum Forked {
    Parent(Pid),
    Child,
}

/// Forks. Only a process with one thread may call this.
pub(super) fn fork() -> io::Result<Forked> {
    // SAFETY: the process has one thread, so the child's memory is consistent.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        child => Pid::from_raw(child)
            .map(Forked::Parent)
            .ok_or_else(|| io::Error::other("fork returned no process id")),
    }
}
