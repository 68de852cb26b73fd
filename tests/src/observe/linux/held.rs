//! The sockets that a program holds, looked at through a duplicate of each descriptor, which is kept
//! for microseconds. That answers in any network namespace and needs no table of all the machine's
//! sockets, which costs milliseconds to read.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use socket2::Socket;

use super::descendants::{descendants, recent_descendants};
use super::process::{Copied, Process, opened};
use super::socket::{address_of, has_seen_the_end, listens, peer_of, unread};
use super::table;
use crate::observe::facts::Sockets;

pub(crate) fn listening(
    launcher: u32,
    program: u32,
    with_children: bool,
) -> Option<Vec<SocketAddr>> {
    let own = listening_in(program)?;
    if !own.is_empty() || !with_children {
        return Some(own);
    }
    let all: Option<Vec<_>> = recent_descendants(launcher).into_iter().map(listening_in).collect();
    Some(all?.concat())
}

fn listening_in(pid: u32) -> Option<Vec<SocketAddr>> {
    let Some(process) = Process::open(pid) else { return Some(Vec::new()) };
    let mut addresses = Vec::new();
    for (fd, inode) in process.sockets()? {
        match process.duplicate(fd) {
            Copied::Socket(socket) if listens(&socket) => addresses.extend(address_of(&socket)),
            Copied::Socket(_) | Copied::Gone => {}
            Copied::Refused => addresses.extend(
                table::find(&process, "tcp", inode)?
                    .filter(table::Entry::listens)
                    .map(|entry| entry.local),
            ),
        }
    }
    Some(addresses)
}

pub(crate) fn sockets(launcher: u32) -> Option<Sockets> {
    let mut found = Sockets { held: 0, half_closed: 0 };
    every_socket(&opened(&descendants(launcher)), |socket| {
        let is_tcp = address_of(socket).is_some(); // a pair that wakes an event loop is the program's own business
        found.held += usize::from(is_tcp);
        found.half_closed += usize::from(is_tcp && has_seen_the_end(socket));
        true
    })?;
    Some(found)
}

pub(crate) fn reuses_address(launcher: u32) -> Option<bool> {
    let mut all = None;
    every_socket(&opened(&descendants(launcher)), |socket| {
        if listens(socket) {
            all = socket.reuse_address().ok().map(|reuses| reuses && all.unwrap_or(true));
        }
        true
    })?;
    all
}

pub(crate) fn unread_from(launcher: u32, program: u32, peer: SocketAddr) -> Option<usize> {
    unread_in(&[program], peer).or_else(|| unread_in(&recent_descendants(launcher), peer))
}

fn unread_in(processes: &[u32], peer: SocketAddr) -> Option<usize> {
    let mut found = None;
    every_socket(&opened(processes), |socket| {
        if peer_of(socket) == Some(peer) {
            found = unread(socket);
        }
        found.is_none()
    })?;
    found
}

/// Shows every socket of these processes once, until one does not hold. `None` where the kernel
/// refuses to show one.
pub(super) fn every_socket(
    processes: &[Process],
    mut holds: impl FnMut(&Socket) -> bool,
) -> Option<bool> {
    let mut seen = BTreeSet::new();
    for process in processes {
        for (fd, _) in process.sockets()?.into_iter().filter(|(_, inode)| seen.insert(*inode)) {
            match process.duplicate(fd) {
                Copied::Socket(socket) if !holds(&socket) => return Some(false),
                Copied::Socket(_) | Copied::Gone => {}
                Copied::Refused => return None,
            }
        }
    }
    Some(true)
}
