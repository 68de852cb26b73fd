//! The tables of all sockets of a network namespace (proc_net(5)), for systems that refuse
//! pidfd_getfd(2). Reading them is slower.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;

use super::process::Process;
use super::socket::canonical;

/// One line of `/proc/net/tcp` or `/proc/net/udp`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    inode: u64,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    /// The number of bytes in the receive queue, or of connections that wait to be accepted on a
    /// listening socket.
    pub(super) received: usize,
    /// The number of bytes in the send queue that the peer has not acknowledged; an end of stream
    /// counts as one.
    unacknowledged: usize,
    /// A number of the kernel's include/net/tcp_states.h.
    state: u8,
}

/// Returns whether the kernel still has bytes to send to one of these addresses on a connection
/// that its program has closed.
pub(crate) fn owes_after_closing(launcher: u32, program: u32, to: &BTreeSet<SocketAddr>) -> bool {
    let process = [program, launcher].into_iter().find_map(Process::open);
    process.is_some_and(|process| {
        all(&process, "tcp")
            .iter()
            .any(|entry| entry.is_closed_and_owes() && to.contains(&entry.remote))
    })
}

fn all(process: &Process, protocol: &str) -> Vec<Entry> {
    let table = |version| fs::read_to_string(process.file(&format!("net/{protocol}{version}")));
    let tables = ["", "6"].into_iter().filter_map(|version| table(version).ok());
    tables.flat_map(|table| table.lines().filter_map(entry).collect::<Vec<_>>()).collect()
}

/// Returns the TCP connections of a process's network for which a process has, or had, a
/// descriptor.
pub(super) fn connections(process: &Process) -> Vec<Entry> {
    let mut all = all(process, "tcp");
    all.retain(|entry| entry.inode != 0 && !entry.listens());
    all
}

/// Finds a socket of a process in the tables of a protocol, `tcp` or `udp`. Returns `None` where
/// there is no table, and `Some(None)` where the socket is in none.
pub(super) fn find(process: &Process, protocol: &str, inode: u64) -> Option<Option<Entry>> {
    let table = |version| fs::read_to_string(process.file(&format!("net/{protocol}{version}")));
    let tables: Vec<String> = ["", "6"].into_iter().filter_map(|it| table(it).ok()).collect();
    let mut entries = tables.iter().flat_map(|table| table.lines()).filter_map(entry);
    (!tables.is_empty()).then(|| entries.find(|entry| entry.inode == inode))
}

impl Entry {
    pub(super) fn inode(&self) -> u64 {
        self.inode
    }

    pub(super) fn listens(&self) -> bool {
        self.state == 0x0A // TCP_LISTEN
    }

    /// Returns whether it belongs to no process any more, and not all of it is acknowledged.
    fn is_closed_and_owes(&self) -> bool {
        const SENDING_AFTER_CLOSE: [u8; 3] = [0x04, 0x09, 0x0B]; // FIN_WAIT1, LAST_ACK, CLOSING
        self.inode == 0 && self.unacknowledged > 0 && SENDING_AFTER_CLOSE.contains(&self.state)
    }

    pub(super) fn has_seen_the_end(&self) -> bool {
        self.state == 0x08 // TCP_CLOSE_WAIT
    }
}

/// Reads the fields `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid
/// timeout inode`. Addresses, state and queues are hexadecimal.
fn entry(line: &str) -> Option<Entry> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (unacknowledged, received) = fields.get(4)?.split_once(':')?;
    Some(Entry {
        inode: fields.get(9)?.parse().ok()?,
        local: address(fields[1])?,
        remote: address(fields[2])?,
        received: usize::from_str_radix(received, 16).ok()?,
        unacknowledged: usize::from_str_radix(unacknowledged, 16).ok()?,
        state: u8::from_str_radix(fields[3], 16).ok()?,
    })
}

/// Reads an address: 32-bit words in host byte order, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16).ok();
    let words: Option<Vec<[u8; 4]>> =
        (0..ip.len() / 8).map(|at| Some(word(at)?.to_ne_bytes())).collect();
    match words?.as_slice() {
        [v4] => Some(SocketAddr::from((*v4, port))),
        [a, b, c, d] => {
            let v6: [u8; 16] = [*a, *b, *c, *d].concat().try_into().ok()?;
            Some(canonical(SocketAddr::from((v6, port))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  1: 0100007F:1F90 0100007F:8000 01 00000000:0000000C 00:00000000 00000000     0        0 12345 1 0";

    #[test]
    fn a_line_of_the_table_tells_of_a_connection() {
        let connection = entry(TCP).unwrap();
        assert_eq!(connection.inode, 12345);
        assert_eq!(connection.local, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(connection.remote, "127.0.0.1:32768".parse().unwrap());
        assert_eq!(connection.received, 12);
        assert!(!connection.listens() && !connection.has_seen_the_end());
        assert!(entry(&TCP.replace(" 01 ", " 08 ")).unwrap().has_seen_the_end());
        assert!(entry(&TCP.replace(" 01 ", " 0A ")).unwrap().listens());
    }

    #[test]
    fn a_closed_connection_owes_until_all_is_acknowledged() {
        let orphan = TCP.replace(" 12345 ", " 0 ").replace(" 00000000:0", " 00000400:0");
        let owes = |state: &str| {
            entry(&orphan.replace(" 01 ", state)).is_some_and(|entry| entry.is_closed_and_owes())
        };
        assert!(owes(" 04 ") && owes(" 09 ") && owes(" 0B "));
        assert!(!owes(" 01 ") && !owes(" 05 "));
        let acknowledged = TCP.replace(" 12345 ", " 0 ").replace(" 01 ", " 04 ");
        assert!(!entry(&acknowledged).unwrap().is_closed_and_owes());
    }

    #[test]
    fn what_a_program_leaves_behind_when_it_closes_is_seen_until_it_has_come() {
        use std::io::{Read, Write};
        use std::net::{TcpListener, TcpStream};
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let own = std::process::id();
        let to = BTreeSet::from([client.local_addr().unwrap()]);

        server.set_nonblocking(true).unwrap();
        while server.write(&[0; 1 << 16]).is_ok() {}
        assert!(!owes_after_closing(own, own, &to), "a process holds it");
        drop(server);
        assert!(owes_after_closing(own, own, &to));
        client.read_to_end(&mut Vec::new()).unwrap();
        super::super::testing::soon("all has come", || !owes_after_closing(own, own, &to));
    }

    #[test]
    fn a_line_of_the_table_for_datagrams_is_read() {
        let udp = "  512: 0100007F:1F90 00000000:0000 07 00000000:00000300 00:00000000 00000000  1000        0 678 2 0000000000000000 0";
        let bound = entry(udp).unwrap();
        assert_eq!((bound.inode, bound.received), (678, 0x300));
        assert_eq!(bound.local, "127.0.0.1:8080".parse().unwrap());
    }

    #[test]
    fn a_line_of_the_table_for_ipv6_is_read() {
        let line = TCP.replace("0100007F", "00000000000000000000000001000000");
        assert_eq!(entry(&line).unwrap().local, "[::1]:8080".parse().unwrap());
        assert_eq!(entry("  sl  local_address rem_address   st tx_queue rx_queue"), None);
    }
}
