//! The sockets of a program. The harness copies each descriptor, asks the copy, and closes it
//! within microseconds. That works in any network namespace. It costs less than the table of all
//! sockets, which takes milliseconds to read.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use socket2::{Socket, Type};

use super::descendants::{descendants, recent_descendants};
use super::process::{Copied, Process, is_hidden, opened};
use super::socket::{address_of, has_seen_the_end, listens, peer_of, unread};
use super::table::{self, Entry};
use crate::observe::facts::SocketCounts;

/// The sockets through which a program can be reached.
#[derive(Clone, Copy)]
enum Reachable {
    /// TCP sockets that listen.
    Streams,
    /// UDP sockets that are bound.
    Datagrams,
}

impl Reachable {
    fn address_of(self, socket: &Socket) -> Option<SocketAddr> {
        let is_one = match self {
            Self::Streams => listens(socket),
            Self::Datagrams => socket.r#type().is_ok_and(|kind| kind == Type::DGRAM),
        };
        address_of(socket).filter(|address| is_one && address.port() != 0)
    }

    /// Does the same by the kernel's tables. Returns `None` where they cannot be read.
    fn address_in_table(self, process: &Process, inode: u64) -> Option<Option<SocketAddr>> {
        let entry = match self {
            Self::Streams => table::find(process, "tcp", inode)?.filter(Entry::listens),
            Self::Datagrams => table::find(process, "udp", inode)?,
        };
        Some(entry.map(|entry| entry.local).filter(|address| address.port() != 0))
    }
}

pub(crate) fn listening(
    launcher: u32,
    program: u32,
    with_children: bool,
) -> Option<Vec<SocketAddr>> {
    let own = addresses_in(program, Reachable::Streams)?;
    if own.is_empty() && with_children {
        addresses_below(launcher, Reachable::Streams)
    } else {
        Some(own)
    }
}

pub(crate) fn bound_datagrams(launcher: u32, program: u32) -> Option<Vec<SocketAddr>> {
    let own = addresses_in(program, Reachable::Datagrams)?;
    if own.is_empty() { addresses_below(launcher, Reachable::Datagrams) } else { Some(own) }
}

fn addresses_below(launcher: u32, sockets: Reachable) -> Option<Vec<SocketAddr>> {
    let each = recent_descendants(launcher).into_iter().map(|pid| addresses_in(pid, sockets));
    Some(each.collect::<Option<Vec<_>>>()?.concat())
}

fn addresses_in(pid: u32, sockets: Reachable) -> Option<Vec<SocketAddr>> {
    let Some(process) = Process::open(pid) else {
        return (!is_hidden(pid)).then(Vec::new);
    };
    let mut addresses = Vec::new();
    for (fd, inode) in process.sockets()? {
        addresses.extend(match process.duplicate(fd) {
            Copied::Socket(socket) => sockets.address_of(&socket),
            Copied::Gone => None,
            Copied::Refused => sockets.address_in_table(&process, inode)?,
        });
    }
    Some(addresses)
}

pub(crate) fn sockets(launcher: u32) -> Option<SocketCounts> {
    let mut found = SocketCounts { held: 0, half_closed: 0 };
    every_socket(&opened(&descendants(launcher)), |socket| {
        let is_tcp = address_of(socket).is_some(); // a Unix pair may serve to wake an event loop
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

/// Asks each socket of these processes once, until `holds` returns false. Returns `None` where the
/// kernel refuses to show a socket.
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

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn a_bound_datagram_socket_is_seen() {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let own = std::process::id();
        let seen = bound_datagrams(own, own).unwrap();
        assert!(seen.contains(&socket.local_addr().unwrap()), "{seen:?}");
    }

    #[test]
    fn other_sockets_are_no_bound_datagram_sockets() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let unbound = Socket::new(socket2::Domain::IPV4, Type::DGRAM, None).unwrap();
        let pair = std::os::unix::net::UnixDatagram::pair().unwrap();
        for socket in [Socket::from(OwnedFd::from(listener)), unbound, OwnedFd::from(pair.0).into()]
        {
            assert_eq!(Reachable::Datagrams.address_of(&socket), None);
        }
    }

    #[test]
    fn the_tables_show_what_the_sockets_show() {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let own = Process::open(std::process::id()).unwrap();
        let in_tables = |kind: Reachable| -> Vec<SocketAddr> {
            let sockets = own.sockets().unwrap().into_iter();
            sockets.filter_map(|(_, inode)| kind.address_in_table(&own, inode).unwrap()).collect()
        };
        assert!(in_tables(Reachable::Datagrams).contains(&socket.local_addr().unwrap()));
        assert!(in_tables(Reachable::Streams).contains(&listener.local_addr().unwrap()));
    }
}
