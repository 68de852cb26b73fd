//! A capture file for Wireshark and tshark, with every conversation of the run as a TCP stream.
//!
//! It comes from the harness's record, not from a network, and its comment says so. Times, bytes,
//! addresses and ends are recorded; handshakes, acknowledgements and segments are added. Each check
//! is an interface with the check's id as its name.
//!
//! The crate etherparse writes packet headers and checksums. This module writes the four blocks of
//! the file (draft-ietf-opsawg-pcapng), because a library for them needs two releases of `syn`, a
//! quarter of the first build. The tests read the file with such a library and with tshark.

mod blocks;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use suite::{Event, Status};

use super::plain;
use crate::grade::{GradedRow, Grading};
use blocks::{enhanced_packet, interface, section};
use stream::Stream;

const COMMENT: &str = "Synthesised from the grader's own record of its conversations, not sniffed from a network: \
    times, bytes, addresses and ends are what it did and saw; handshakes, acknowledgements and the cut into segments are filled in.";

/// Packets begin with their IP header.
const LINKTYPE_RAW: u16 = 101;

/// The most bytes in an IP packet with loopback's MTU of 64 KiB.
const SEGMENT: usize = 65_535 - 20 - 40;

/// For ends that the record does not have: a port of the dynamic range (RFC 6335), and addresses of
/// this machine.
const FIRST_PORT: u16 = 49_152;
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const UNKNOWN_PROGRAM: SocketAddr = SocketAddr::new(LOCALHOST, 7); // echo (RFC 862)

/// Returns the whole file.
pub(crate) fn render(grading: &Grading) -> Vec<u8> {
    let is_shown = |row: &&GradedRow| !row.verdict.transcript.is_empty() && !grading.hides(row);
    let rows: Vec<&GradedRow> = grading.rows.iter().filter(is_shown).collect();
    let mut file = Vec::new();
    section(&mut file, grading.outcome.as_ref().err());
    for row in &rows {
        interface(&mut file, row.verdict.check, &described(row));
    }
    let mut ports = Ports::default();
    let packets =
        rows.iter().enumerate().flat_map(|(number, row)| conversations(number, row, &mut ports));
    let mut packets: Vec<Packet> = packets.collect();
    packets.sort_by_key(|packet| packet.at); // stable: at the same microsecond, as they were made
    for packet in &packets {
        enhanced_packet(&mut file, packet);
    }
    file
}

fn described(row: &GradedRow) -> String {
    match &row.verdict.status {
        Status::Failed(failure) => plain::line(&format!("{} failed: {failure}", row.verdict.check)),
        _ => plain::line(&format!("{}: {}", row.verdict.check, row.claim)),
    }
}

/// A packet with its interface, time and comment.
struct Packet {
    interface: u32,
    /// The time since 1970.
    at: Duration,
    bytes: Vec<u8>,
    comment: Option<String>,
}

// ---- from the record to packets ----

/// The pairs of ends that streams of this file use. A second stream with the same pair would be
/// taken for the first.
#[derive(Default)]
struct Ports {
    used: BTreeSet<(SocketAddr, SocketAddr)>,
}

impl Ports {
    /// Returns the ends of a connection, with another port on the harness's side if the pair is
    /// already used.
    fn unique(&mut self, (mut ours, theirs): (SocketAddr, SocketAddr)) -> (SocketAddr, SocketAddr) {
        while ours.port() == 0 || !self.used.insert((ours, theirs)) {
            ours.set_port(ours.port().checked_add(1).unwrap_or(FIRST_PORT).max(FIRST_PORT));
        }
        (ours, theirs)
    }
}

/// Returns the packets of all connections of a check, stream by stream.
fn conversations(interface: usize, row: &GradedRow, ports: &mut Ports) -> Vec<Packet> {
    let verdict = &row.verdict;
    let began = verdict
        .began
        .and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok())
        .unwrap_or_default();
    let program = verdict
        .transcript
        .iter()
        .find_map(|event| event.ends)
        .map_or(UNKNOWN_PROGRAM, |(_, theirs)| theirs);
    let mut packets = Vec::new();
    for peer in super::conversation::peers(&verdict.transcript) {
        let events: Vec<&Event> =
            verdict.transcript.iter().filter(|event| event.peer == peer).collect();
        let recorded = events.iter().find_map(|event| event.ends);
        let ends = ports.unique(recorded.unwrap_or((SocketAddr::new(program.ip(), 0), program)));
        let mut stream = Stream::new(ends, format!("client {peer} of {}", verdict.check));
        for event in events {
            stream.follow(event);
        }
        let finished = stream.finish().into_iter();
        packets.extend(finished.map(|(at, bytes, comment)| Packet {
            interface: interface as u32,
            at: began + at,
            bytes,
            comment,
        }));
    }
    packets
}
