//! A process, seen through one of its threads that lives: where its first one has ended
//! (pthread_exit(3)), only another shows what the process holds.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use socket2::Socket;

use super::task::{thread_stat, threads};

/// A handle of a thread instead of a process, since Linux 6.9 (pidfd_open(2), PIDFD_THREAD).
pub(super) const OF_A_THREAD: PidfdFlags = PidfdFlags::from_bits_retain(libc::O_EXCL as u32);

/// A process that was there a moment ago.
pub(super) struct Process {
    pub(super) pid: u32,
    /// Its first thread, if that has not ended.
    tid: u32,
    handle: rustix::io::Result<OwnedFd>,
}

/// What came of copying a descriptor.
pub(super) enum Copied {
    Socket(Socket),
    /// The process or the descriptor has gone in the meantime.
    Gone,
    /// The kernel does not allow it.
    Refused,
}

impl Process {
    /// `None` where it has gone.
    pub(super) fn open(pid: u32) -> Option<Self> {
        let lives = |tid: &u32| thread_stat(pid, *tid).is_some_and(|stat| !stat.has_ended());
        let tid = if lives(&pid) { pid } else { threads(pid).into_iter().find(lives)? };
        let flags = if tid == pid { PidfdFlags::empty() } else { OF_A_THREAD };
        Some(Self { pid, tid, handle: pidfd_open(Pid::from_raw(tid as i32)?, flags) })
    }

    /// Whether this is its first thread, and has ended before the others.
    pub(super) fn has_lost(&self, tid: u32) -> bool {
        tid == self.pid && self.tid != self.pid
    }

    /// What `/proc` has of the thread through which it is seen.
    pub(super) fn folder(&self) -> String {
        format!("/proc/{}/task/{}", self.pid, self.tid)
    }

    pub(super) fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.folder())
    }

    /// Each descriptor, and what it is open for; none where they are not shown.
    pub(super) fn descriptors(&self) -> Vec<(i32, String)> {
        self.shown_descriptors().unwrap_or_default()
    }

    /// The same; `None` where the kernel does not show them (prctl(2), PR_SET_DUMPABLE).
    fn shown_descriptors(&self) -> Option<Vec<(i32, String)>> {
        let entries = match fs::read_dir(self.file("fd")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return None,
            Err(_) => return Some(Vec::new()),
        };
        let described = entries.flatten().filter_map(|entry| {
            let target = fs::read_link(entry.path()).ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, target.to_string_lossy().into_owned()))
        });
        Some(described.collect())
    }

    /// Descriptor and inode of each socket; `None` where the kernel does not show them.
    pub(super) fn sockets(&self) -> Option<Vec<(i32, u64)>> {
        let shown = self.shown_descriptors()?.into_iter();
        Some(shown.filter_map(|(fd, target)| Some((fd, socket_inode(&target)?))).collect())
    }

    pub(super) fn target(&self, fd: i32) -> Option<String> {
        Some(fs::read_link(self.file(&format!("fd/{fd}"))).ok()?.to_string_lossy().into_owned())
    }

    /// Whether a descriptor is of one of these kinds, by how its target begins.
    pub(super) fn is_one_of(&self, fd: u64, kinds: &[&str]) -> bool {
        self.target(fd as i32)
            .is_some_and(|target| kinds.iter().any(|kind| target.starts_with(kind)))
    }

    /// The same open socket, as a descriptor of ours (pidfd_getfd(2)).
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

/// Those that are still there.
pub(super) fn opened(pids: &[u32]) -> Vec<Process> {
    pids.iter().copied().filter_map(Process::open).collect()
}

/// Of a descriptor that is open for a socket (proc_pid_fd(5)).
pub(super) fn socket_inode(target: &str) -> Option<u64> {
    target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}
