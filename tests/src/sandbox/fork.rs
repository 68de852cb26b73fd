//! Processes that are copies of this one.

use std::io;

use rustix::process::Pid;

/// What a fork has become.
pub(super) enum Forked {
    Parent(Pid),
    Child,
}

/// Only for processes of one thread.
pub(super) fn fork() -> io::Result<Forked> {
    // SAFETY: the process has one thread, so the child's memory is whole.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        child => Pid::from_raw(child)
            .map(Forked::Parent)
            .ok_or_else(|| io::Error::other("fork returned no process id")),
    }
}
