//! A capture file that Wireshark and tshark open: every conversation of the run as a TCP stream.
//!
//! It is made from the harness's own record, not sniffed, and says so in its section's comment:
//! times, bytes, addresses and ends are what the harness did and saw; handshakes, acknowledgements
//! and how a stretch is cut into segments are filled in. Each check is an interface of its own,
//! with the check's id for its name.
//!
//! Packet headers and their checksums are etherparse's. The four blocks of the file
//! (draft-ietf-opsawg-pcapng) are written here: a library for them brings two releases of `syn`, a
//! quarter of the first build. The tests read the file back with one, and with tshark.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use etherparse::PacketBuilder;
use suite::{Event, Status, What};

use super::plain;
use crate::grade::{GradedRow, Grading, NoGrade};

const COMMENT: &str = "Synthesised from the grader's own record of its conversations, not sniffed from a network: \
    times, bytes, addresses and ends are what it did and saw; handshakes, acknowledgements and the cut into segments are filled in.";

/// Packets begin with their IP header.
const LINKTYPE_RAW: u16 = 101;

/// The most that fits an IP packet: what loopback's MTU of 64 KiB allows.
const SEGMENT: usize = 65_535 - 20 - 40;

/// Where the record does not say: a port of the dynamic range (RFC 6335), and addresses of this
/// machine.
const FIRST_PORT: u16 = 49_152;
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const UNKNOWN_PROGRAM: SocketAddr = SocketAddr::new(LOCALHOST, 7); // echo (RFC 862)

/// The whole file.
pub(crate) fn render(grading: &Grading) -> Vec<u8> {
    let rows: Vec<&GradedRow> = grading
        .rows
        .iter()
        .filter(|row| !row.verdict.transcript.is_empty() && !grading.hides(row))
        .collect();
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
        _ => format!("{}: {}", row.verdict.check, row.claim),
    }
}

/// A packet and what belongs to it.
struct Packet {
    interface: u32,
    /// Since 1970.
    at: Duration,
    bytes: Vec<u8>,
    comment: Option<String>,
}

// ---- from the record to packets ----

/// Which pairs of ends a stream of this file has used: a second one of the same pair would be taken
/// for the first.
#[derive(Default)]
struct Ports {
    used: BTreeSet<(SocketAddr, SocketAddr)>,
}

impl Ports {
    /// The ends of a connection: as they were, or with another port on the harness's side where
    /// these are taken.
    fn unique(&mut self, (mut ours, theirs): (SocketAddr, SocketAddr)) -> (SocketAddr, SocketAddr) {
        while ours.port() == 0 || !self.used.insert((ours, theirs)) {
            ours.set_port(ours.port().checked_add(1).unwrap_or(FIRST_PORT).max(FIRST_PORT));
        }
        (ours, theirs)
    }
}

/// All connections of a check, one stream after another.
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

/// The harness's side of a connection, and the program's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Ours,
    Theirs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Syn,
    SynAck,
    Ack,
    Data,
    Fin,
    Reset,
    /// The answer of a port on which nobody listens.
    Refusal,
}

/// A packet without its numbers: these follow from its place in the stream.
struct Draft {
    at: Duration,
    from: Side,
    kind: Kind,
    payload: Vec<u8>,
    comment: Option<String>,
}

/// One connection.
struct Stream {
    ours: SocketAddr,
    theirs: SocketAddr,
    drafts: Vec<Draft>,
    name: String,
    ended: [bool; 2],
    broken: bool,
}

impl Stream {
    fn new((ours, theirs): (SocketAddr, SocketAddr), name: String) -> Self {
        Self { ours, theirs, drafts: Vec::new(), name, ended: [false; 2], broken: false }
    }

    fn follow(&mut self, event: &Event) {
        use Side::{Ours, Theirs};
        let at = event.at;
        match event.what {
            What::Connect => self.handshake(at, Ours),
            What::Accept => self.handshake(at, Theirs),
            What::Refused => {
                self.draft(at, Ours, Kind::Syn);
                self.draft(at, Theirs, Kind::Refusal);
            }
            What::Send => self.data(event, Ours),
            What::Receive => self.data(event, Theirs),
            What::HalfClose | What::Close => self.end(at, Ours),
            What::End => self.end(at, Theirs),
            What::SendReset => self.reset(at, Ours),
            What::Reset => self.reset(at, Theirs),
            What::Timeout => self.remark(at, "the grader waited for more, in vain"),
        }
    }

    fn handshake(&mut self, at: Duration, from: Side) {
        self.draft(at, from, Kind::Syn);
        self.draft(at, from.other(), Kind::SynAck);
        self.draft(at, from, Kind::Ack);
    }

    /// A stretch of bytes, from when its first went over to when its last had.
    fn data(&mut self, event: &Event, from: Side) {
        let data = event.data();
        let segments = data.chunks(SEGMENT).count();
        for (number, segment) in data.chunks(SEGMENT).enumerate() {
            let share = if segments > 1 { number as f64 / (segments - 1) as f64 } else { 0.0 };
            let at = event.at + event.until.saturating_sub(event.at).mul_f64(share);
            self.draft(at, from, Kind::Data);
            if let Some(draft) = self.drafts.last_mut() {
                draft.payload = segment.to_vec();
            }
            self.draft(at, from.other(), Kind::Ack);
        }
        if event.stretches > 1 {
            let note =
                format!("{} stretches, recorded as one; others lay between them", event.stretches);
            self.remark(event.until, &note);
        }
    }

    fn end(&mut self, at: Duration, from: Side) {
        if !self.broken && !std::mem::replace(&mut self.ended[from as usize], true) {
            self.draft(at, from, Kind::Fin);
            self.draft(at, from.other(), Kind::Ack);
        }
    }

    fn reset(&mut self, at: Duration, from: Side) {
        if !std::mem::replace(&mut self.broken, true) {
            self.draft(at, from, Kind::Reset);
        }
    }

    fn draft(&mut self, at: Duration, from: Side, kind: Kind) {
        let comment = self.drafts.is_empty().then(|| self.name.clone());
        self.drafts.push(Draft { at, from, kind, payload: Vec::new(), comment });
    }

    /// Something that is no packet is said beside the last one.
    fn remark(&mut self, at: Duration, words: &str) {
        let said = format!("{:.1} ms: {words}", at.as_secs_f64() * 1e3);
        if let Some(last) = self.drafts.last_mut() {
            last.comment = Some(
                last.comment.take().map_or(said.clone(), |before| format!("{before}; {said}")),
            );
        }
    }

    /// The packets in their order, with their numbers.
    fn finish(mut self) -> Vec<(Duration, Vec<u8>, Option<String>)> {
        // A folded stretch lasts until after what came between its parts.
        self.drafts.sort_by_key(|draft| draft.at);
        let mut next = [1_000_u32, 1_000_000]; // what each side sends next
        let mut packets = Vec::new();
        for draft in std::mem::take(&mut self.drafts) {
            let bytes = self.packet(&draft, next);
            let moved = draft.payload.len()
                + usize::from(matches!(draft.kind, Kind::Syn | Kind::SynAck | Kind::Fin));
            next[draft.from as usize] = next[draft.from as usize].wrapping_add(moved as u32);
            packets.push((draft.at, bytes, draft.comment));
        }
        packets
    }

    fn packet(&self, draft: &Draft, next: [u32; 2]) -> Vec<u8> {
        use etherparse::TcpOptionElement::{MaximumSegmentSize, WindowScale};
        const WINDOW: u16 = u16::MAX;
        const OPTIONS: [etherparse::TcpOptionElement; 2] =
            [MaximumSegmentSize(SEGMENT as u16), WindowScale(7)];
        let (from, to) = match draft.from {
            Side::Ours => (self.ours, self.theirs),
            Side::Theirs => (self.theirs, self.ours),
        };
        let ip = match (from.ip(), to.ip()) {
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                PacketBuilder::ipv6(from.octets(), to.octets(), 64)
            }
            (from, to) => PacketBuilder::ipv4(octets(from), octets(to), 64),
        };
        let (sequence, acknowledged) =
            (next[draft.from as usize], next[draft.from.other() as usize]);
        let window = if matches!(draft.kind, Kind::Reset | Kind::Refusal) { 0 } else { WINDOW };
        let tcp = ip.tcp(from.port(), to.port(), sequence, window);
        let tcp = match draft.kind {
            Kind::Syn => tcp.syn().options(&OPTIONS),
            Kind::SynAck => tcp.syn().ack(acknowledged).options(&OPTIONS),
            Kind::Ack => Ok(tcp.ack(acknowledged)),
            Kind::Data => Ok(tcp.ack(acknowledged).psh()),
            Kind::Fin => Ok(tcp.fin().ack(acknowledged)),
            Kind::Reset | Kind::Refusal => Ok(tcp.rst().ack(acknowledged)),
        };
        let mut bytes = Vec::with_capacity(draft.payload.len() + 80);
        let written = tcp.ok().map(|tcp| tcp.write(&mut bytes, &draft.payload));
        debug_assert!(
            matches!(written, Some(Ok(()))),
            "options and segments fit their packet: {written:?}"
        );
        bytes
    }
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Ours => Self::Theirs,
            Self::Theirs => Self::Ours,
        }
    }
}

/// An IPv4 address that came through an IPv6 socket is what it was.
fn octets(address: IpAddr) -> [u8; 4] {
    match address {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(address) => address.to_ipv4_mapped().unwrap_or(Ipv4Addr::LOCALHOST).octets(),
    }
}

// ---- the file's blocks ----

const OPT_ENDOFOPT: u16 = 0;
const OPT_COMMENT: u16 = 1;
const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;
const SHB_USERAPPL: u16 = 4;

/// Section Header Block: the byte order, version 1.0, a length that is not told.
fn section(file: &mut Vec<u8>, no_grade: Option<&NoGrade>) {
    let fault =
        no_grade.map(|NoGrade(fault)| format!(" There is no grade: {}.", plain::line(fault)));
    let comment = format!("{COMMENT}{}", fault.unwrap_or_default());
    let mut body = Vec::new();
    body.extend(0x1a2b_3c4d_u32.to_le_bytes());
    body.extend(1_u16.to_le_bytes());
    body.extend(0_u16.to_le_bytes());
    body.extend(u64::MAX.to_le_bytes());
    option(&mut body, OPT_COMMENT, &comment);
    option(&mut body, SHB_USERAPPL, "cargo xtask grade --report pcapng");
    option(&mut body, OPT_ENDOFOPT, "");
    block(file, 0x0a0d_0d0a, body);
}

/// Interface Description Block. Without an option for it, times are in microseconds.
fn interface(file: &mut Vec<u8>, name: &str, description: &str) {
    let mut body = Vec::new();
    body.extend(LINKTYPE_RAW.to_le_bytes());
    body.extend([0; 2]);
    body.extend(0_u32.to_le_bytes()); // packets of any length
    option(&mut body, IF_NAME, name);
    option(&mut body, IF_DESCRIPTION, description);
    option(&mut body, OPT_ENDOFOPT, "");
    block(file, 1, body);
}

/// Enhanced Packet Block.
fn enhanced_packet(file: &mut Vec<u8>, packet: &Packet) {
    let at = packet.at.as_micros() as u64;
    let length = packet.bytes.len() as u32;
    let mut body = Vec::with_capacity(packet.bytes.len() + 64);
    for word in [packet.interface, (at >> 32) as u32, at as u32, length, length] {
        body.extend(word.to_le_bytes());
    }
    body.extend(&packet.bytes);
    pad(&mut body);
    if let Some(comment) = &packet.comment {
        option(&mut body, OPT_COMMENT, comment);
        option(&mut body, OPT_ENDOFOPT, "");
    }
    block(file, 6, body);
}

fn option(body: &mut Vec<u8>, code: u16, text: &str) {
    const MOST: usize = 8_000; // characters: an option holds at most 65,535 bytes
    let text: String = text.chars().take(MOST).collect();
    body.extend(code.to_le_bytes());
    body.extend((text.len() as u16).to_le_bytes());
    body.extend(text.as_bytes());
    pad(body);
}

fn block(file: &mut Vec<u8>, kind: u32, body: Vec<u8>) {
    let length = (body.len() + 12) as u32;
    file.extend(kind.to_le_bytes());
    file.extend(length.to_le_bytes());
    file.extend(body);
    file.extend(length.to_le_bytes());
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::process::Command;

    use pcap_file::pcapng::{Block, PcapNgReader};
    use suite::Verdict;

    use super::*;
    use crate::report::real;

    fn row(events: Vec<Event>) -> GradedRow {
        GradedRow {
            group: "exactness",
            program: "echo_server",
            max_points: 1,
            claim: "It works.".to_owned(),
            hints: Vec::new(),
            given: None,
            hidden: false,
            verdict: Verdict { transcript: events, ..Verdict::new("a_check", Status::Passed) },
        }
    }

    /// What one side sent, from the capture alone, by the port it sent from.
    fn streams(file: &[u8]) -> BTreeMap<u16, Vec<u8>> {
        let mut reader = PcapNgReader::new(file).unwrap();
        let mut streams: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
        let mut last = Duration::ZERO;
        while let Some(block) = reader.next_block() {
            if let Block::EnhancedPacket(packet) = block.unwrap() {
                let sliced = etherparse::SlicedPacket::from_ip(&packet.data).unwrap();
                let Some(etherparse::TransportSlice::Tcp(tcp)) = sliced.transport else {
                    panic!("no TCP")
                };
                streams.entry(tcp.source_port()).or_default().extend(tcp.payload());
                assert!(packet.timestamp >= last, "in the order of time");
                last = packet.timestamp;
            }
        }
        streams
    }

    #[test]
    fn a_capture_read_back_has_every_byte() {
        let ends = Some((SocketAddr::new(LOCALHOST, 50_000), SocketAddr::new(LOCALHOST, 65_432)));
        let at = Duration::from_millis;
        let mut connected = Event::new(at(1), "a", What::Connect, b"");
        connected.ends = ends;
        let long: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        let file = render(&real::of([row(vec![
            connected,
            Event::new(at(2), "a", What::Send, &long),
            Event::new(at(3), "a", What::Receive, b"short"),
            Event::new(at(4), "a", What::End, b""),
            Event::new(at(5), "b", What::Refused, b""),
        ])]));
        let streams = streams(&file);
        assert!(streams[&50_000] == long);
        assert_eq!(streams[&65_432], b"short");
        assert_eq!(streams.len(), 3, "the refused one has a port of its own");
    }

    #[test]
    fn the_file_says_that_it_is_not_sniffed() {
        let file =
            render(&real::of([row(vec![Event::new(Duration::ZERO, "a", What::Refused, b"")])]));
        let text = String::from_utf8_lossy(&file);
        assert!(
            text.contains("Synthesised from the grader's own record") && text.contains("a_check")
        );
    }

    #[test]
    fn a_fault_is_said_and_what_a_hidden_check_saw_is_not() {
        let refused = || vec![Event::new(Duration::ZERO, "a", What::Refused, b"")];
        let fault = Status::Fault(suite::Fault("no descriptors left".to_owned()));
        let verdict = Verdict { transcript: refused(), ..Verdict::new("undecided", fault) };
        let hidden = GradedRow { hidden: true, ..row(refused()) };
        let file = render(&real::of([GradedRow { verdict, ..row(refused()) }, hidden]));
        let text = String::from_utf8_lossy(&file);
        assert!(
            text.contains(
                "There is no grade: undecided could not be found out: no descriptors left"
            )
        );
        assert!(!text.contains("a_check"));
    }

    fn tshark(file: &Path, arguments: &[&str]) -> String {
        let output = Command::new("tshark")
            .args(["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-r"])
            .arg(file)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The payload of each stream and source port, as tshark reads it.
    fn payloads(file: &Path) -> BTreeMap<(String, String), Vec<u8>> {
        let fields = ["-T", "fields", "-e", "tcp.stream", "-e", "tcp.srcport", "-e", "tcp.payload"];
        let mut payloads: BTreeMap<(String, String), Vec<u8>> = BTreeMap::new();
        for line in tshark(file, &[&fields[..], &["-Y", "tcp.len > 0"]].concat()).lines() {
            let [stream, port, hex] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let bytes = hex
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
            payloads.entry((stream.to_owned(), port.to_owned())).or_default().extend(bytes);
        }
        payloads
    }

    /// Every stream of a real conversation, of 8 MiB and failed ones, is in the capture, whole and
    /// sound.
    #[test]
    fn tshark_follows_every_stream() {
        let checks =
            ["echoes_large_message", "echoes_every_size", "keeps_clients_apart", "survives_reset"];
        for name in ["drops_after_buffer", "right_one_byte_buffer", "dies_on_reset"] {
            if !real::has("tshark") {
                return;
            }
            let Some(grading) = real::grade(name, "echo_server", &checks) else { return };
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), render(&grading)).unwrap();
            let unsound = "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || \
                tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment || tcp.analysis.retransmission || \
                tcp.analysis.out_of_order || tcp.analysis.window_full || tcp.analysis.reused_ports";
            assert_eq!(tshark(file.path(), &["-Y", unsound]), "", "{name}");

            let mut recorded: Vec<Vec<u8>> = Vec::new();
            for verdict in grading.rows.iter().map(|row| &row.verdict) {
                for peer in crate::report::conversation::peers(&verdict.transcript) {
                    for what in [What::Send, What::Receive] {
                        let mine = verdict
                            .transcript
                            .iter()
                            .filter(|event| event.peer == peer && event.what == what);
                        recorded.push(mine.flat_map(|event| event.data().into_owned()).collect());
                    }
                }
            }
            recorded.retain(|stream| !stream.is_empty());
            recorded.sort();
            let mut read: Vec<Vec<u8>> = payloads(file.path()).into_values().collect();
            read.sort();
            assert!(
                read == recorded,
                "{name}: {} streams read, {} recorded",
                read.len(),
                recorded.len()
            );

            let followed = tshark(file.path(), &["-q", "-z", "follow,tcp,raw,0"]);
            assert!(followed.contains("Follow: tcp,raw"), "{followed}");
            let interfaces = tshark(file.path(), &["-T", "fields", "-e", "frame.interface_name"]);
            assert!(interfaces.lines().any(|name| name == "survives_reset"));
        }
    }
}
