use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use pcap_file::pcapng::{Block, PcapNgReader};
use suite::{EventKind, Verdict};

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
    let mut connected = Event::new(at(1), "a", EventKind::Connect, b"");
    connected.ends = ends;
    let long: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
    let file = render(&real::of([row(vec![
        connected,
        Event::new(at(2), "a", EventKind::Send, &long),
        Event::new(at(3), "a", EventKind::Receive, b"short"),
        Event::new(at(4), "a", EventKind::End, b""),
        Event::new(at(5), "b", EventKind::Refused, b""),
    ])]));
    let streams = streams(&file);
    assert!(streams[&50_000] == long);
    assert_eq!(streams[&65_432], b"short");
    assert_eq!(streams.len(), 3, "the refused one has a port of its own");
}

#[test]
fn the_file_says_that_it_is_not_sniffed() {
    let file =
        render(&real::of([row(vec![Event::new(Duration::ZERO, "a", EventKind::Refused, b"")])]));
    let text = String::from_utf8_lossy(&file);
    assert!(text.contains("Synthesised from the grader's own record") && text.contains("a_check"));
}

#[test]
fn a_fault_is_said_and_what_a_hidden_check_saw_is_not() {
    let refused = || vec![Event::new(Duration::ZERO, "a", EventKind::Refused, b"")];
    let fault = Status::Fault(suite::Fault("no descriptors left".to_owned()));
    let verdict = Verdict { transcript: refused(), ..Verdict::new("undecided", fault) };
    let hidden = GradedRow { hidden: true, ..row(refused()) };
    let file = render(&real::of([GradedRow { verdict, ..row(refused()) }, hidden]));
    let text = String::from_utf8_lossy(&file);
    assert!(
        text.contains("There is no grade: undecided could not be found out: no descriptors left")
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

const UNSOUND: &str = "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || \
    tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment || tcp.analysis.retransmission || \
    tcp.analysis.out_of_order || tcp.analysis.window_full || tcp.analysis.reused_ports";

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
        assert_eq!(tshark(file.path(), &["-Y", UNSOUND]), "", "{name}");

        let recorded = recorded(&grading);
        let mut read: Vec<Vec<u8>> = payloads(file.path()).into_values().collect();
        read.sort();
        let (streams, expected) = (read.len(), recorded.len());
        assert!(read == recorded, "{name}: {streams} streams read, {expected} recorded");

        let followed = tshark(file.path(), &["-q", "-z", "follow,tcp,raw,0"]);
        assert!(followed.contains("Follow: tcp,raw"), "{followed}");
        let interfaces = tshark(file.path(), &["-T", "fields", "-e", "frame.interface_name"]);
        assert!(interfaces.lines().any(|name| name == "survives_reset"));
    }
}

/// What each side of each connection sent, in the order of the bytes.
fn recorded(grading: &Grading) -> Vec<Vec<u8>> {
    let mut recorded: Vec<Vec<u8>> = Vec::new();
    for verdict in grading.rows.iter().map(|row| &row.verdict) {
        for peer in crate::report::conversation::peers(&verdict.transcript) {
            for kind in [EventKind::Send, EventKind::Receive] {
                let events = verdict.transcript.iter();
                let sent = events.filter(|event| event.peer == peer && event.kind == kind);
                recorded.push(sent.flat_map(|event| event.data().into_owned()).collect());
            }
        }
    }
    recorded.retain(|stream| !stream.is_empty());
    recorded.sort();
    recorded
}
