//! The sockets of a program that are connected to the harness, and the clients that it has not
//! accepted.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use socket2::Socket;

use super::process::{Copied, Process};
use super::socket::{
    accept_queue, has_event, has_no_timeout, has_seen_the_end, listens, peer_of, unacknowledged,
    unread,
};
use super::table::{self, Entry};
use crate::observe::facts::{ConnectionState, HarnessSocket, PendingClient, Role, WaitsFor};

/// A limit for looking at threads and sockets: a time, and a number that is looked at in any case.
pub(super) struct Budget {
    began: Instant,
}

impl Budget {
    pub(super) fn start() -> Self {
        Self { began: Instant::now() }
    }

    /// Returns whether there is no time left after `looked_at` of them.
    pub(super) fn is_spent(&self, looked_at: usize) -> bool {
        const TIME: Duration = Duration::from_millis(12);
        const ALWAYS: usize = 32;
        looked_at >= ALWAYS && self.began.elapsed() > TIME
    }
}

/// A socket of the program.
pub(super) struct HeldSocket {
    inode: u64,
    peer: Option<SocketAddr>,
    /// The number of connections that wait to be accepted, where it listens.
    queue: Option<usize>,
    unread: usize,
    ended: bool,
    pub(super) has_timeout: bool,
}

impl HeldSocket {
    /// Returns `None` where the program has closed it, or the kernel does not show it.
    pub(super) fn find(process: &Process, fd: i32, inode: u64) -> Option<Self> {
        match process.duplicate(fd) {
            Copied::Socket(socket) => Some(Self::of(&socket, inode)),
            Copied::Gone => None,
            Copied::Refused => {
                table::find(process, "tcp", inode)?.map(|entry| Self::of_entry(&entry, inode))
            }
        }
    }

    fn of(socket: &Socket, inode: u64) -> Self {
        Self {
            inode,
            peer: peer_of(socket),
            queue: listens(socket).then(|| accept_queue(socket)),
            unread: unread(socket).unwrap_or(0),
            ended: has_seen_the_end(socket),
            has_timeout: !has_no_timeout(socket),
        }
    }

    fn of_entry(entry: &Entry, inode: u64) -> Self {
        let listens = entry.listens();
        Self {
            inode,
            peer: (!listens).then_some(entry.remote),
            queue: listens.then_some(entry.received),
            unread: if listens { 0 } else { entry.received },
            ended: entry.has_seen_the_end(),
            has_timeout: false,
        }
    }

    pub(super) fn on(&self, harness: &[HarnessSocket]) -> WaitsFor {
        match (self.queue, self.peer) {
            (Some(_), _) => WaitsFor::Listener,
            (None, Some(peer)) => match harness.iter().find(|end| end.address == peer) {
                Some(end) => WaitsFor::Connection(end.role.clone()),
                None => WaitsFor::ConnectionTo(peer),
            },
            (None, None) => WaitsFor::UnconnectedSocket,
        }
    }
}

/// The sockets that a program holds, each once.
pub(super) struct HeldSockets<'a> {
    /// Those that are connected to the harness: the index of the harness's socket, that socket, and
    /// the program's.
    connections: Vec<(usize, &'a HarnessSocket, HeldSocket)>,
    /// The number of connections that wait to be accepted.
    queue: usize,
    /// Whether all sockets were looked at.
    complete: bool,
}

impl<'a> HeldSockets<'a> {
    pub(super) fn by(processes: &[Process], budget: &Budget, harness: &'a [HarnessSocket]) -> Self {
        let mut held = Self { connections: Vec::new(), queue: 0, complete: true };
        let mut known = BTreeSet::new();
        for process in processes {
            for (fd, inode) in process.sockets().unwrap_or_default() {
                if known.contains(&inode) {
                    continue;
                }
                if budget.is_spent(known.len()) {
                    return Self { complete: false, ..held };
                }
                known.insert(inode);
                held.add(HeldSocket::find(process, fd, inode), harness);
            }
        }
        held.connections.sort_by_key(|(place, ..)| *place);
        held
    }

    fn add(&mut self, found: Option<HeldSocket>, harness: &'a [HarnessSocket]) {
        let Some(socket) = found else { return };
        self.queue += socket.queue.unwrap_or(0);
        let place = socket.peer.and_then(|peer| harness.iter().position(|end| end.address == peer));
        self.connections.extend(place.map(|at| (at, &harness[at], socket)));
    }

    /// Returns the clients that the program has not accepted: of those that are connected to none
    /// of its sockets, the last ones, as many as its accept queues hold.
    pub(super) fn pending(&self, harness: &[HarnessSocket]) -> Vec<PendingClient> {
        if !self.complete {
            return Vec::new();
        }
        let is_held = |end: &HarnessSocket| {
            self.connections.iter().any(|(_, held, _)| held.address == end.address)
        };
        let candidates = harness.iter().filter(|end| !is_held(end)).filter_map(pending_at);
        let mut pending: Vec<PendingClient> = candidates.collect();
        pending.drain(..pending.len().saturating_sub(self.queue));
        pending
    }

    pub(super) fn connections(
        self,
        is_watched: impl Fn(u64) -> Option<bool>,
    ) -> Vec<ConnectionState> {
        let connection = |(_, end, socket): (usize, &HarnessSocket, HeldSocket)| ConnectionState {
            with: end.role.clone(),
            unread: socket.unread,
            unacknowledged: end.stream.as_deref().map_or(0, in_send_queue),
            ended: socket.ended,
            watched: is_watched(socket.inode),
        };
        self.connections.into_iter().map(connection).collect()
    }
}

/// Returns the client at this end of a connection, if the connection is open.
fn pending_at(end: &HarnessSocket) -> Option<PendingClient> {
    match (&end.role, &end.stream) {
        (Role::Client(client), Some(stream)) if is_open(stream) => {
            let arrived = end.written.saturating_sub(in_send_queue(stream));
            Some(PendingClient { client: client.clone(), unread: arrived })
        }
        _ => None,
    }
}

fn in_send_queue(stream: &TcpStream) -> usize {
    unacknowledged(stream).map_or(0, |bytes| usize::try_from(bytes).unwrap_or(0))
}

/// Returns whether the program's side has neither ended nor reset the connection.
fn is_open(stream: &TcpStream) -> bool {
    !has_event(stream, PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR)
}
