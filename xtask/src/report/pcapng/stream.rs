//! One connection as packets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use etherparse::PacketBuilder;
use suite::{Event, What};

use super::SEGMENT;

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
    /// The answer of a port without a listener.
    Refusal,
}

/// A packet without its sequence numbers, which follow from its place in the stream.
struct Draft {
    at: Duration,
    from: Side,
    kind: Kind,
    payload: Vec<u8>,
    comment: Option<String>,
}

/// One connection.
pub(super) struct Stream {
    ours: SocketAddr,
    theirs: SocketAddr,
    drafts: Vec<Draft>,
    name: String,
    ended: [bool; 2],
    broken: bool,
}

impl Stream {
    pub(super) fn new((ours, theirs): (SocketAddr, SocketAddr), name: String) -> Self {
        Self { ours, theirs, drafts: Vec::new(), name, ended: [false; 2], broken: false }
    }

    pub(super) fn follow(&mut self, event: &Event) {
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
            What::Timeout => self.remark(at, "the grader waited for more bytes, but none came"),
        }
    }

    fn handshake(&mut self, at: Duration, from: Side) {
        self.draft(at, from, Kind::Syn);
        self.draft(at, from.other(), Kind::SynAck);
        self.draft(at, from, Kind::Ack);
    }

    /// Adds a stretch of bytes, spread over its time.
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

    /// Adds a comment to the last packet.
    fn remark(&mut self, at: Duration, words: &str) {
        let said = format!("{:.1} ms: {words}", at.as_secs_f64() * 1e3);
        if let Some(last) = self.drafts.last_mut() {
            last.comment = Some(
                last.comment.take().map_or(said.clone(), |before| format!("{before}; {said}")),
            );
        }
    }

    /// Returns the packets in order, with their sequence numbers.
    pub(super) fn finish(mut self) -> Vec<(Duration, Vec<u8>, Option<String>)> {
        // A folded stretch ends after the events between its parts.
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

/// Returns an IPv4 address, also one that came through an IPv6 socket.
fn octets(address: IpAddr) -> [u8; 4] {
    match address {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(address) => address.to_ipv4_mapped().unwrap_or(Ipv4Addr::LOCALHOST).octets(),
    }
}
