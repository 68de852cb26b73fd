//! The descriptors of a process. Where its first thread has ended (pthread_exit(3)), only another
//! thread shows them.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::process::{
    Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open, test_kill_process,
};
use socket2::Socket;

use super::task::{thread_stat, threads};

/// The flag for a handle of a thread, since Linux 6.9 (pidfd_open(2), PIDFD_THREAD).
pub(super) const OF_A_THREAD: PidfdFlags = PidfdFlags::from_bits_retain(libc::O_EXCL as u32);

/// A process that lived when it was opened.
pub(super) struct Process {
    pub(super) pid: u32,
    /// The thread through which it is seen: the first one, or another where that has ended.
    tid: u32,
    handle: rustix::io::Result<OwnedFd>,
}

/// The result of copying a descriptor.
pub(super) enum Copied {
    Socket(Socket),
    /// The process has ended, or has closed the descriptor.
    Gone,
    /// The kernel does not allow it.
    Refused,
}

impl Process {
    /// Returns `None` where the process has ended.
    pub(super) fn open(pid: u32) -> Option<Self> {
        let lives = |tid: &u32| thread_stat(pid, *tid).is_some_and(|stat| !stat.has_ended());
        let tid = if lives(&pid) { pid } else { threads(pid).into_iter().find(lives)? };
        let flags = if tid == pid { PidfdFlags::empty() } else { OF_A_THREAD };
        Some(Self { pid, tid, handle: pidfd_open(Pid::from_raw(tid as i32)?, flags) })
    }

    /// Returns whether this is its first thread and has ended before the others.
    pub(super) fn is_ended_leader(&self, tid: u32) -> bool {
        tid == self.pid && self.tid != self.pid
    }

    /// Returns the path in `/proc` of the thread through which it is seen.
    pub(super) fn folder(&self) -> String {
        format!("/proc/{}/task/{}", self.pid, self.tid)
    }

    pub(super) fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.folder())
    }

    /// Returns each descriptor with its target (proc_pid_fd(5)), or none where the kernel does not
    /// show them.
    pub(super) fn descriptors(&self) -> Vec<(i32, String)> {
        self.shown_descriptors().unwrap_or_default()
    }

    /// Returns the same, but `None` where the kernel does not show them (prctl(2),
    /// PR_SET_DUMPABLE).
    fn shown_descriptors(&self) -> Option<Vec<(i32, String)>> {
        let entries = match fs::read_dir(self.file("fd")) {
            Ok(entries) => entries,
            Err(error) if is_refused(&error) => return None,
            Err(_) => return Some(Vec::new()),
        };
        let mut described = Vec::new();
        for entry in entries.flatten() {
            let target = match fs::read_link(entry.path()) {
                Ok(target) => target.to_string_lossy().into_owned(),
                Err(error) if is_refused(&error) => return None, // root may list what it may not read
                Err(_) => continue,
            };
            let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
            described.extend(number.map(|number| (number, target)));
        }
        Some(described)
    }

    /// Returns descriptor and inode of each socket, or `None` where the kernel does not show them.
    pub(super) fn sockets(&self) -> Option<Vec<(i32, u64)>> {
        let shown = self.shown_descriptors()?.into_iter();
        Some(shown.filter_map(|(fd, target)| Some((fd, socket_inode(&target)?))).collect())
    }

    pub(super) fn target(&self, fd: i32) -> Option<String> {
        Some(fs::read_link(self.file(&format!("fd/{fd}"))).ok()?.to_string_lossy().into_owned())
    }

    /// Returns whether the target of a descriptor begins with one of `kinds`.
    pub(super) fn is_one_of(&self, fd: u64, kinds: &[&str]) -> bool {
        self.target(fd as i32)
            .is_some_and(|target| kinds.iter().any(|kind| target.starts_with(kind)))
    }

    /// Copies a descriptor of the process into the harness (pidfd_getfd(2)).
    pub(super) fn duplicate(&self, fd: i32) -> Copied {
        let copy = match &self.handle {
            Ok(process) => pidfd_getfd(process, fd, PidfdGetfdFlags::empty()),
            Err(error) => Err(*error),
        };
        match copy {
            Ok(copy) => Copied::Socket(Socket::from(copy)),
            Err(rustix::io::Errno::SRCH | rustix::io::Errno::BADF) => Copied::Gone,
            Err(_) => Copied::Refused,
        }
    }
}

fn is_refused(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied
}

/// Returns whether a process exists that `/proc` does not show (proc(5), `hidepid`).
pub(super) fn is_hidden(pid: u32) -> bool {
    is_hidden_in(Path::new("/proc"), pid)
}

fn is_hidden_in(proc: &Path, pid: u32) -> bool {
    let exists = |pid| !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH));
    !proc.join(pid.to_string()).exists() && Pid::from_raw(pid as i32).is_some_and(exists)
}

/// Opens those of the processes that still live.
pub(super) fn opened(pids: &[u32]) -> Vec<Process> {
    pids.iter().copied().filter_map(Process::open).collect()
}

/// Returns the inode in the target of a socket's descriptor (proc_pid_fd(5)): `socket:[12345]`.
pub(super) fn socket_inode(target: &str) -> Option<u64> {
    target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_proc_does_not_show_is_hidden_as_long_as_it_exists() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let (own, gone) = (std::process::id(), child.id());
        child.wait().unwrap();
        let shows_nothing = tempfile::tempdir().unwrap();
        assert!(is_hidden_in(shows_nothing.path(), own));
        assert!(!is_hidden_in(shows_nothing.path(), gone));
        assert!(!is_hidden(own) && !is_hidden(gone));
    }
}
