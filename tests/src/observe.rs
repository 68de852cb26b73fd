//! What the operating system knows of a running program: its processes, its sockets, its processor
//! time, and whether anything in it can still move.
//!
//! [`ProcessTree`] has the questions, `facts` the answers' types. Linux answers from `linux`. Other
//! systems answer `None`, which means "this cannot be seen here" and never "no". Nothing here sends
//! to the program or changes it, and no sentence is made here: reports do that.

mod facts;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use linux as system;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub use facts::{
    CANNOT_SEE, ConnectionState, PendingClient, ProgramState, Role, SystemCall, ThreadState,
    WaitsFor,
};
pub(crate) use facts::{
    CpuTime, HarnessSocket, Runs, SendQueues, SocketCounts, Standstill, TaskCounts,
};
#[cfg(target_os = "linux")]
pub(crate) use system::thread_count;
pub(crate) use system::thread_cpu_time;
#[cfg(unix)]
pub(crate) use system::{become_subreaper, children, descendants, is_drained};

/// Whether this system can show where a program listens. Where it does not, a server with an
/// address of its own looks like one that does not listen.
pub(crate) const SHOWS_LISTENERS: bool = cfg!(target_os = "linux");

/// All processes of one launched program: the descendants of its launcher, orphans included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProcessTree {
    launcher: u32,
    program: u32,
}

impl ProcessTree {
    /// Takes the process ids of the launcher and of the program's first process.
    pub(crate) fn new(launcher: u32, program: u32) -> Self {
        Self { launcher, program }
    }

    /// Returns the TCP addresses on which the program's first process listens, or all of its
    /// processes where the first one listens on none.
    pub(crate) fn listening(&self) -> Option<Vec<SocketAddr>> {
        system::listening(self.launcher, self.program, true)
    }

    /// Returns the TCP addresses on which the program's first process listens. This costs less than
    /// [`Self::listening`].
    pub(crate) fn first_process_listening(&self) -> Option<Vec<SocketAddr>> {
        system::listening(self.launcher, self.program, false)
    }

    /// Returns the UDP addresses to which sockets of the program's first process are bound, or of
    /// all its processes where the first one has none.
    #[allow(dead_code, reason = "no practical launches a server of datagrams yet")]
    pub(crate) fn bound_datagrams(&self) -> Option<Vec<SocketAddr>> {
        system::bound_datagrams(self.launcher, self.program)
    }

    /// Returns whether one of its threads is on a processor or waits for one.
    pub(crate) fn is_running(&self) -> bool {
        system::is_running(self.launcher)
    }

    /// Returns the same, but does not count a thread that waits for the kernel.
    pub(crate) fn is_ready(&self) -> bool {
        system::is_ready(self.launcher)
    }

    /// Returns the number of threads of the program's first process, or 0 where that cannot be
    /// seen.
    pub(crate) fn threads_of_first_process(&self) -> u32 {
        system::thread_count(self.program)
    }

    /// Returns whether all of its listening sockets have SO_REUSEADDR set (socket(7)), or `None`
    /// where it has none.
    pub(crate) fn reuses_address(&self) -> Option<bool> {
        system::reuses_address(self.launcher)
    }

    /// Returns the size in bytes that a thread asks for in the read from a socket in which it is
    /// blocked.
    pub(crate) fn read_size(&self) -> Option<usize> {
        system::read_size(self.launcher)
    }

    /// Returns the number of descriptors that its epoll instances watch for room to write, or
    /// `None` where it has no epoll instance.
    pub(crate) fn waits_to_write(&self) -> Option<usize> {
        system::waits_to_write(self.launcher)
    }

    /// Counts its processes and threads.
    pub(crate) fn tasks(&self) -> Option<TaskCounts> {
        system::tasks(self.launcher)
    }

    /// Returns how often each of its threads was on a processor.
    pub(crate) fn runs(&self) -> Option<Runs> {
        system::runs(self.launcher)
    }

    /// Counts its threads that are in a call on a TCP socket, or in an event loop that watches one,
    /// and their processes.
    pub(crate) fn waiting_for_sockets(&self) -> Option<TaskCounts> {
        system::waiting_for_sockets(self.launcher)
    }

    /// Returns its memory in bytes. A page that several of its processes share counts once.
    pub(crate) fn resident_memory(&self) -> Option<u64> {
        system::resident_memory(self.launcher)
    }

    /// Counts its sockets.
    pub(crate) fn sockets(&self) -> Option<SocketCounts> {
        system::sockets(self.launcher)
    }

    /// Counts its connections for which none of its processes has a descriptor, in a network that
    /// only the program and the harness use.
    pub(crate) fn sockets_put_aside(&self) -> Option<SocketCounts> {
        system::sockets_put_aside(self.launcher)
    }

    /// Returns the processor time of the threads that live now.
    pub(crate) fn cpu_time(&self) -> Option<CpuTime> {
        system::cpu_time(self.launcher)
    }

    /// Returns the processor time since the program's start, in whole clock ticks. It includes
    /// threads and processes that have ended.
    pub(crate) fn total_cpu_time(&self) -> Option<Duration> {
        system::total_cpu_time(self.launcher)
    }

    /// Returns the number of bytes in the receive queue of its socket that is connected to `peer`.
    pub(crate) fn unread_from(&self, peer: SocketAddr) -> Option<usize> {
        system::unread_from(self.launcher, self.program, peer)
    }

    /// Returns what each of its threads does, and what it has not read or accepted. There are no
    /// threads where the program has ended. `sockets` are the harness's.
    pub(crate) fn program_state(&self, sockets: &[HarnessSocket]) -> Option<ProgramState> {
        system::program_state(self.launcher, sockets)
    }

    /// Returns whether bytes are still to be sent to one of these addresses on a connection that
    /// the program has closed. No process holds such a connection: the kernel sends the rest.
    pub(crate) fn owes_after_closing(&self, to: &BTreeSet<SocketAddr>) -> bool {
        system::owes_after_closing(self.launcher, self.program, to)
    }

    /// Takes a snapshot of the program in which every thread waits, without a timeout, for
    /// something outside of the program. Returns `None` if a thread runs or sleeps, if a timer may
    /// wake one, or if something is in flight on the program's sockets.
    ///
    /// Two equal snapshots prove that nothing moved in between. For that, `earliest` of the second
    /// one must be a moment after the first one was taken. `left` are the addresses of peers that
    /// have closed their connections: a socket that has not seen the close yet is about to.
    pub(crate) fn standstill(
        &self,
        earliest: Instant,
        queues: SendQueues,
        left: &BTreeSet<SocketAddr>,
    ) -> Option<Standstill> {
        system::standstill(self.launcher, earliest, queues, left)
    }
}
