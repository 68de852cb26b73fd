//! What the operating system knows of a program that it runs: its processes, its sockets, its
//! processor time, and whether anything in it can still move.
//!
//! Everything that needs Linux is in [`linux`]; on other systems each question is answered with
//! `None`, which means "cannot be seen here", never "no". Nothing here talks to the program or
//! disturbs it.

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

pub use facts::{CANNOT_SEE, Call, Connection, On, Thread, Waiting, Whereabouts, Who};
pub(crate) use facts::{Effort, OurEnd, Sockets, Standstill, Tasks, Wires};
pub(crate) use system::own_processor_time;
#[cfg(target_os = "linux")]
pub(crate) use system::thread_count;
#[cfg(unix)]
pub(crate) use system::{become_subreaper, children, descendants, is_still};

/// All processes of one launched program: the children of its launcher, to any depth, orphans
/// included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tree {
    launcher: u32,
    program: u32,
}

impl Tree {
    pub(crate) fn new(launcher: u32, program: u32) -> Self {
        Self { launcher, program }
    }

    /// The TCP addresses on which the program listens right now: those of its first process, or of
    /// all where that has none.
    pub(crate) fn listening(&self) -> Option<Vec<SocketAddr>> {
        system::listening(self.launcher, self.program, true)
    }

    /// The TCP addresses on which the program's first process listens right now; this costs less.
    pub(crate) fn first_process_listening(&self) -> Option<Vec<SocketAddr>> {
        system::listening(self.launcher, self.program, false)
    }

    /// The UDP addresses to which sockets of the program are bound right now: those of its first
    /// process, or of all where that has none.
    #[allow(dead_code, reason = "no practical launches a server of datagrams yet")]
    pub(crate) fn bound_datagrams(&self) -> Option<Vec<SocketAddr>> {
        system::bound_datagrams(self.launcher, self.program)
    }

    /// Whether one of its threads is on a processor or waits for one.
    pub(crate) fn is_running(&self) -> bool {
        system::is_running(self.launcher)
    }

    /// How many threads the program's first process has; 0 where that cannot be seen.
    pub(crate) fn threads_of_first_process(&self) -> u32 {
        system::thread_count(self.program)
    }

    /// Whether all sockets on which the program listens have SO_REUSEADDR set; `None` where there
    /// is none, or it cannot be seen.
    pub(crate) fn reuses_address(&self) -> Option<bool> {
        system::reuses_address(self.launcher)
    }

    /// How many bytes it asks for in the read from a socket in which one of its threads is blocked.
    pub(crate) fn read_size(&self) -> Option<usize> {
        system::read_size(self.launcher)
    }

    /// On how many descriptors it waits until they can be written to; `None` where it does so by a
    /// call that does not show it.
    pub(crate) fn waits_to_write(&self) -> Option<usize> {
        system::waits_to_write(self.launcher)
    }

    /// The processes and threads that the program consists of right now.
    pub(crate) fn tasks(&self) -> Option<Tasks> {
        system::tasks(self.launcher)
    }

    /// The bytes of memory that the program has right now: a page that several of its processes
    /// share counts once.
    pub(crate) fn resident_memory(&self) -> Option<u64> {
        system::resident_memory(self.launcher)
    }

    /// The sockets that the program holds right now.
    pub(crate) fn sockets(&self) -> Option<Sockets> {
        system::sockets(self.launcher)
    }

    /// The processor time of the threads that live now.
    pub(crate) fn effort(&self) -> Option<Effort> {
        system::effort(self.launcher)
    }

    /// The processor time since the program's start, of threads and processes that have ended, too;
    /// to the clock tick.
    pub(crate) fn total_processor_time(&self) -> Option<Duration> {
        system::total_processor_time(self.launcher)
    }

    /// Bytes that wait in the receive queue of the program's socket whose peer is `peer`.
    pub(crate) fn unread_from(&self, peer: SocketAddr) -> Option<usize> {
        system::unread_from(self.launcher, self.program, peer)
    }

    /// What each thread of the program does right now, and what the program leaves lying; without
    /// threads if it has ended.
    pub(crate) fn whereabouts(&self, ours: &[OurEnd]) -> Option<Whereabouts> {
        system::whereabouts(self.launcher, ours)
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
        system::standstill(self.launcher, earliest, wires, left)
    }
}
