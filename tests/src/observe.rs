//! What the operating system knows of a program that it runs: its processes, its sockets, its
//! processor time, and whether anything in it can still move.
//!
//! Everything that needs Linux is in [`linux`]; on other systems each question is answered with
//! `None`, which means "cannot be seen here", never "no". Nothing here talks to the program or
//! disturbs it.

mod facts;
#[cfg(target_os = "linux")]
#[path = "observe/linux.rs"]
mod sight;
#[cfg(not(target_os = "linux"))]
#[path = "observe/elsewhere.rs"]
mod sight;

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use facts::{Call, Connection, On, Thread, Waiting, Whereabouts, Who};
#[cfg(target_os = "linux")]
pub(crate) use sight::thread_count;
pub(crate) use sight::{Standstill, own_processor_time};
#[cfg(unix)]
pub(crate) use sight::{become_subreaper, children, descendants, is_still};

/// Why a question about another process stays unanswered on this system.
pub const CANNOT_SEE: &str = if cfg!(target_os = "linux") {
    "the kernel does not let the grader look into the program here (it needs /proc and pidfd_getfd)"
} else {
    "only Linux shows this, and this system is another one"
};

/// How still the wires must be for a standstill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wires {
    /// Nothing is queued: what the network still holds may come through at any moment, by a timer
    /// of the kernel's at the latest.
    Empty,
    /// Bytes may be held back by a closed window, since somebody does not read on purpose; none are
    /// under way.
    Stalled,
}

/// All processes of one launched program: the children of its launcher, to any depth, orphans
/// included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tree {
    launcher: u32,
    program: u32,
}

/// The sockets that a program holds, each counted once however many of its processes share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sockets {
    /// How many there are, listening ones included.
    pub(crate) held: usize,
    /// How many of them have seen their peer's end of stream and are not closed yet: CLOSE_WAIT and
    /// what may follow it.
    pub(crate) half_closed: usize,
}

/// The harness's end of one connection, or the place where it listens.
#[derive(Debug)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux asks for it"))]
pub(crate) struct OurEnd {
    pub(crate) who: Who,
    pub(crate) address: SocketAddr,
    /// `None` once the harness has closed it.
    pub(crate) stream: Option<Arc<TcpStream>>,
    /// Bytes that the harness has written to it.
    pub(crate) written: usize,
}

/// What runs of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tasks {
    /// Its processes, the first one among them.
    pub(crate) processes: usize,
    /// The threads of all of them together; a process has at least one.
    pub(crate) threads: usize,
}

/// Processor time, as the scheduler accounts it, summed over all threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Time on a processor.
    pub(crate) ran: Duration,
    /// Time in which a thread could have run and waited for a processor.
    pub(crate) queued: Duration,
}

impl Effort {
    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { ran: self.ran + other.ran, queued: self.queued + other.queued }
    }

    /// What was spent since `earlier`; threads that have ended since count as nothing.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            ran: self.ran.saturating_sub(earlier.ran),
            queued: self.queued.saturating_sub(earlier.queued),
        }
    }
}

impl Tree {
    pub(crate) fn new(launcher: u32, program: u32) -> Self {
        Self { launcher, program }
    }

    /// The TCP addresses on which the program listens right now: those of its first process, or of
    /// all where that has none.
    pub(crate) fn listening(&self) -> Option<Vec<SocketAddr>> {
        sight::listening(self.launcher, self.program, true)
    }

    /// The TCP addresses on which the program's first process listens right now; this costs less.
    pub(crate) fn first_process_listening(&self) -> Option<Vec<SocketAddr>> {
        sight::listening(self.launcher, self.program, false)
    }

    /// Whether one of its threads is on a processor or waits for one.
    pub(crate) fn is_running(&self) -> bool {
        sight::is_running(self.launcher)
    }

    /// How many threads the program's first process has; 0 where that cannot be seen.
    pub(crate) fn threads_of_first_process(&self) -> u32 {
        sight::thread_count(self.program)
    }

    /// Whether all sockets on which the program listens have SO_REUSEADDR set; `None` where there
    /// is none, or it cannot be seen.
    pub(crate) fn reuses_address(&self) -> Option<bool> {
        sight::reuses_address(self.launcher)
    }

    /// How many bytes it asks for in the read from a socket in which one of its threads is blocked.
    pub(crate) fn read_size(&self) -> Option<usize> {
        sight::read_size(self.launcher)
    }

    /// On how many descriptors it waits until they can be written to; `None` where it does so by a
    /// call that does not show it.
    pub(crate) fn waits_to_write(&self) -> Option<usize> {
        sight::waits_to_write(self.launcher)
    }

    /// The processes and threads that the program consists of right now.
    pub(crate) fn tasks(&self) -> Option<Tasks> {
        sight::tasks(self.launcher)
    }

    /// The bytes of memory that the program has right now: a page that several of its processes
    /// share counts once.
    pub(crate) fn resident_memory(&self) -> Option<u64> {
        sight::resident_memory(self.launcher)
    }

    /// The sockets that the program holds right now.
    pub(crate) fn sockets(&self) -> Option<Sockets> {
        sight::sockets(self.launcher)
    }

    /// The processor time of the threads that live now.
    pub(crate) fn effort(&self) -> Option<Effort> {
        sight::effort(self.launcher)
    }

    /// The processor time since the program's start, of threads and processes that have ended, too;
    /// to the clock tick.
    pub(crate) fn total_processor_time(&self) -> Option<Duration> {
        sight::total_processor_time(self.launcher)
    }

    /// Bytes that wait in the receive queue of the program's socket whose peer is `peer`.
    pub(crate) fn unread_from(&self, peer: SocketAddr) -> Option<usize> {
        sight::unread_from(self.launcher, self.program, peer)
    }

    /// What each thread of the program does right now, and what the program leaves lying; without
    /// threads if it has ended.
    pub(crate) fn whereabouts(&self, ours: &[OurEnd]) -> Option<Whereabouts> {
        sight::whereabouts(self.launcher, ours)
    }

    /// A picture of the program in which every thread waits, without a time limit, for something
    /// outside of it; `None` if anything runs, sleeps, may be woken by a timer or is under way on
    /// its sockets. Two equal pictures mean that nothing has moved in between, if the later one's
    /// look at the processes began after the first was done, at `earliest`. `left` are the
    /// addresses of peers that have ended their connections: a socket that has not seen that yet is
    /// about to.
    pub(crate) fn standstill(
        &self,
        earliest: Instant,
        wires: Wires,
        left: &BTreeSet<SocketAddr>,
    ) -> Option<Standstill> {
        sight::standstill(self.launcher, earliest, wires, left)
    }
}
