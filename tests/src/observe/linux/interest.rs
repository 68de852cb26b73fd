//! The events for which a blocked thread waits, and whether they are already there.

use std::fs;
use std::mem;
use std::os::unix::fs::FileExt;

use rustix::event::PollFlags;

use super::call::{RawCall, waiting_call};
use super::descendants::recent_descendants;
use super::process::{Copied, Process};
use super::socket::has_event;
use super::task::threads;

/// The number of descriptors of an event loop that are read at most.
const WATCHED: usize = 4096;

/// A descriptor, and the events for which a thread waits on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interest {
    pub(super) fd: i32,
    pub(super) to_read: bool,
    pub(super) to_write: bool,
    /// The kernel reports an event once, when it comes (epoll(7), edge-triggered).
    edge_triggered: bool,
}

pub(crate) fn read_size(launcher: u32) -> Option<usize> {
    let processes = recent_descendants(launcher);
    let tasks =
        processes.into_iter().flat_map(|pid| threads(pid).into_iter().map(move |tid| (pid, tid)));
    tasks.filter_map(|(pid, tid)| Some((pid, waiting_call(pid, tid)?))).find_map(|(pid, call)| {
        let reads = matches!(call.number, libc::SYS_read | libc::SYS_recvfrom);
        let reads = reads && Process::open(pid)?.is_one_of(call.arguments[0], &["socket:"]);
        reads.then_some(call.arguments[2] as usize)
    })
}

pub(crate) fn waits_to_write(launcher: u32) -> Option<usize> {
    let folders = recent_descendants(launcher).into_iter().map(|pid| format!("/proc/{pid}/fdinfo"));
    let files = folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let texts = files.filter_map(|file| fs::read_to_string(file.path()).ok());
    let epolls: Vec<String> = texts.filter(|text| text.contains("\ntfd:")).collect();
    let asks = |line: &&str| watched(line).flatten().is_some_and(|asked| asked.to_write);
    (!epolls.is_empty()).then(|| epolls.iter().flat_map(|text| text.lines()).filter(asks).count())
}

/// Returns what an event loop waits for. `files` is the folder of its thread, `/proc/PID/task/TID`.
/// Returns `None` where the call is another one, or where its list cannot be read.
pub(super) fn by_event_loop(files: &str, call: &RawCall) -> Option<Vec<Interest>> {
    let [first, second, ..] = call.arguments;
    match call.number {
        libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => epoll(files, first),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait => epoll(files, first),
        libc::SYS_ppoll => array(files, first, second as usize),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => array(files, first, second as usize),
        libc::SYS_pselect6 => sets(files, first as usize, &call.arguments[1..4]),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select => sets(files, first as usize, &call.arguments[1..4]),
        _ => None,
    }
}

/// Reads `/proc/PID/fdinfo/FD` (proc_pid_fdinfo(5)), which has a line for each descriptor: `tfd: 5
/// events: 19 data: … pos:0 ino:… sdev:…`.
fn epoll(files: &str, fd: u64) -> Option<Vec<Interest>> {
    fs::read_to_string(format!("{files}/fdinfo/{fd}")).ok()?.lines().filter_map(watched).collect()
}

/// Reads one line. Returns `None` where it is not for a descriptor, and `Some(None)` where it
/// cannot be read.
fn watched(line: &str) -> Option<Option<Interest>> {
    let mut fields = line.strip_prefix("tfd:")?.split_ascii_whitespace();
    let (fd, events) = (fields.next().and_then(|fd| fd.parse().ok()), fields.nth(1));
    let events = events.and_then(|events| u32::from_str_radix(events, 16).ok());
    let has = |flag: i32| events.is_some_and(|events| events & flag as u32 != 0);
    Some(fd.filter(|_| events.is_some()).map(|fd| Interest {
        fd,
        to_read: has(libc::EPOLLIN),
        to_write: has(libc::EPOLLOUT),
        edge_triggered: has(libc::EPOLLET),
    }))
}

/// Reads an array of `struct pollfd`: descriptor, requested events, returned events (poll(2)).
fn array(files: &str, at: u64, count: usize) -> Option<Vec<Interest>> {
    const ENTRY: usize = mem::size_of::<libc::pollfd>();
    let memory = memory(files, at, count.min(WATCHED) * ENTRY)?;
    let entry = |bytes: &[u8]| {
        let fd = i32::from_ne_bytes(bytes[..4].try_into().ok()?);
        let events = i16::from_ne_bytes(bytes[4..6].try_into().ok()?);
        let has = |flag: i16| events & flag != 0;
        Some(Interest {
            fd,
            to_read: has(libc::POLLIN),
            to_write: has(libc::POLLOUT),
            edge_triggered: false,
        })
    };
    let asked: Option<Vec<Interest>> = memory.chunks_exact(ENTRY).map(entry).collect();
    Some(asked?.into_iter().filter(|asked| asked.fd >= 0).collect())
}

/// Reads three sets of bits: for reading, for writing, for exceptions (select(2)).
fn sets(files: &str, below: usize, places: &[u64]) -> Option<Vec<Interest>> {
    const BITS: usize = u64::BITS as usize;
    let words = below.min(WATCHED).div_ceil(BITS);
    let mut sets: Vec<Vec<u64>> = Vec::new();
    for &place in places {
        let bytes = if place == 0 { vec![0; words * 8] } else { memory(files, place, words * 8)? };
        let set = bytes
            .chunks_exact(8)
            .map(|word| u64::from_ne_bytes(word.try_into().unwrap_or_default()));
        sets.push(set.collect());
    }
    let has = |set: &[u64], fd: usize| set[fd / BITS] >> (fd % BITS) & 1 == 1;
    let all = (0..below.min(WATCHED)).filter(|&fd| sets.iter().any(|set| has(set, fd)));
    let asked = all.map(|fd| Interest {
        fd: fd as i32,
        to_read: has(&sets[0], fd),
        to_write: has(&sets[1], fd),
        edge_triggered: false,
    });
    Some(asked.collect())
}

fn memory(files: &str, at: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    fs::File::open(format!("{files}/mem")).ok()?.read_exact_at(&mut bytes, at).ok()?;
    Some(bytes)
}

/// Returns whether an event for which the thread waits is already there, so that the kernel is
/// about to wake it. The kernel acknowledges bytes before it wakes a thread that waits for room,
/// and on a busy machine it may be interrupted in between.
///
/// An edge-triggered event to read does not count: the thread may have been told and have ignored
/// it. Room to write counts in any case, since an acknowledgement makes it.
pub(super) fn is_ready(process: &Process, call: &RawCall) -> bool {
    let one = |to_read| Interest {
        fd: call.arguments[0] as i32,
        to_read,
        to_write: !to_read,
        edge_triggered: false,
    };
    let asked = match call.number {
        libc::SYS_accept | libc::SYS_accept4 | libc::SYS_recvfrom | libc::SYS_recvmsg => {
            vec![one(true)]
        }
        libc::SYS_read | libc::SYS_readv => vec![one(true)],
        libc::SYS_sendto | libc::SYS_sendmsg | libc::SYS_write | libc::SYS_writev => {
            vec![one(false)]
        }
        _ => by_event_loop(&process.folder(), call).unwrap_or_default(),
    };
    asked.iter().any(|asked| {
        let mut events = PollFlags::empty();
        events.set(PollFlags::IN, asked.to_read && !asked.edge_triggered);
        events.set(PollFlags::OUT, asked.to_write);
        match process.duplicate(asked.fd) {
            Copied::Socket(copy) if !events.is_empty() => has_event(&copy, events),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::observe::linux::descendants::descendants;
    use crate::observe::linux::testing::{has_python, run_and_look, soon};

    #[test]
    fn what_a_selector_is_asked_for_shows() {
        let asks = "import select, socket, sys
a, b = socket.socketpair()
e = select.epoll()
e.register(a, select.EPOLLIN | select.EPOLLOUT)
e.register(b, select.EPOLLIN)
sys.stdin.read()";
        if !has_python() {
            return;
        }
        run_and_look(Command::new("sh").args(["-c", "python3 -c \"$0\"; :", asks]), |pid| {
            soon("one of two should show", || waits_to_write(pid) == Some(1));
        });
        run_and_look(Command::new("sh").args(["-c", "cat; :"]), |pid| {
            soon("cat should be there", || !descendants(pid).is_empty());
            assert_eq!(waits_to_write(pid), None);
        });
    }

    #[test]
    fn a_line_for_a_watched_descriptor_is_read() {
        let line = "tfd:        5 events: 80000004 data:                1  pos:0 ino:1a2b sdev:9";
        assert_eq!(
            watched(line),
            Some(Some(Interest { fd: 5, to_read: false, to_write: true, edge_triggered: true }))
        );
        assert_eq!(watched("pos:\t0"), None);
        assert_eq!(watched("tfd: x"), Some(None));
    }
}
