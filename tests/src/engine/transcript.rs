//! The record of what went over the wire: the single source of every picture of a conversation.
//!
//! [`crate::engine::peer`] writes it, and the reports read it. All bytes are kept. Those of the
//! large message, which several checks send and get back, are kept as ranges of that one message;
//! all others are copied. Pieces of one stretch in one direction are one event. A conversation of
//! very many turns keeps its beginning and its end as they were; in between, what one peer sent
//! becomes one event, and what it received another, so that the bytes of every stream stay whole
//! and in their order, while which turn answered which is lost: see [`Event::stretches`].

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::engine::payload::Shared;

/// How much of each event is kept to be shown.
const PREVIEW: usize = 64;

/// How many events are kept as they were from the beginning, and from the end, of a long
/// conversation.
const KEPT: usize = 10_000;

/// One thing that a peer of the harness did or saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it began, since the check did.
    pub at: Duration,
    /// When its last byte had gone over, since the check began.
    pub until: Duration,
    /// Which peer: `a`, `b`, …, in the order of their coming. Each is one connection.
    pub peer: String,
    /// What happened.
    pub kind: EventKind,
    /// How many bytes went over; 0 where none did.
    pub bytes: usize,
    /// The first of them, at most 64.
    pub preview: Vec<u8>,
    /// 1, or how many stretches of this peer in this direction were folded into this event; others'
    /// lay between them.
    pub stretches: usize,
    /// The two ends of a new connection: the harness's, then the program's.
    pub ends: Option<(SocketAddr, SocketAddr)>,
    pieces: Vec<Piece>,
}

/// What can happen on the harness's side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The peer connected to the program.
    Connect,
    /// The program connected to the peer.
    Accept,
    /// The program's side refused the connection.
    Refused,
    /// Bytes went to the program.
    Send,
    /// Bytes came from the program.
    Receive,
    /// The peer closed its sending side.
    HalfClose,
    /// The peer closed its socket.
    Close,
    /// The peer reset the connection (SO_LINGER 0).
    SendReset,
    /// The program ended its side.
    End,
    /// The connection was reset by the program's side.
    Reset,
    /// A wait timed out.
    Timeout,
}

impl EventKind {
    /// Whether bytes went over.
    pub fn carries_bytes(self) -> bool {
        matches!(self, Self::Send | Self::Receive)
    }
}

/// Bytes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Copied(Vec<u8>),
    /// A stretch of a message that is kept anyway.
    Of(Shared, Range<usize>),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Of(shared, range) => {
                shared.get().and_then(|all| all.get(range.clone())).unwrap_or_default()
            }
        }
    }
}

impl Event {
    /// A single event with its bytes.
    pub fn new(at: Duration, peer: &str, kind: EventKind, data: &[u8]) -> Self {
        let mut event = Self {
            at,
            until: at,
            peer: peer.to_owned(),
            kind,
            bytes: 0,
            preview: Vec::new(),
            stretches: 1,
            ends: None,
            pieces: Vec::new(),
        };
        event.extend(at, data, None);
        event
    }

    /// All of its bytes, in order; copied only where they are kept in several pieces.
    pub fn data(&self) -> Cow<'_, [u8]> {
        match self.pieces.as_slice() {
            [] => Cow::Borrowed(&[]),
            [piece] => Cow::Borrowed(piece.bytes()),
            pieces => Cow::Owned(pieces.iter().map(Piece::bytes).collect::<Vec<_>>().concat()),
        }
    }

    /// The same stretch goes on.
    fn extend(&mut self, at: Duration, data: &[u8], large: Option<&Shared>) {
        self.until = at;
        self.bytes += data.len();
        if self.preview.len() < PREVIEW {
            self.preview.extend(&data[..data.len().min(PREVIEW - self.preview.len())]);
        }
        if data.is_empty() {
            return;
        }
        let place = large.and_then(|large| Some((large, place_in(large.get()?, data)?)));
        match (self.pieces.last_mut(), place) {
            (Some(Piece::Of(_, kept)), Some((_, more))) if kept.end == more.start => {
                kept.end = more.end
            }
            (_, Some((large, range))) => self.pieces.push(Piece::Of(large.clone(), range)),
            (Some(Piece::Copied(kept)), None) => kept.extend_from_slice(data),
            (_, None) => self.pieces.push(Piece::Copied(data.to_vec())),
        }
    }

    /// A later stretch of the same peer in the same direction is folded into this one.
    fn fold(&mut self, later: Self) {
        self.until = later.until;
        self.bytes += later.bytes;
        self.preview
            .extend(&later.preview[..later.preview.len().min(PREVIEW - self.preview.len())]);
        self.stretches += later.stretches;
        for piece in later.pieces {
            match (self.pieces.last_mut(), piece) {
                (Some(Piece::Of(_, kept)), Piece::Of(_, more)) if kept.end == more.start => {
                    kept.end = more.end
                }
                (Some(Piece::Copied(kept)), Piece::Copied(more)) => kept.extend_from_slice(&more),
                (_, piece) => self.pieces.push(piece),
            }
        }
    }
}

/// Where `part` lies within `whole`, if it is a stretch of that very memory.
fn place_in(whole: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let (whole, part) = (whole.as_ptr_range(), part.as_ptr_range());
    let lies_within = whole.start <= part.start && part.end <= whole.end;
    lies_within.then(|| {
        let offset = part.start.addr() - whole.start.addr();
        offset..offset + (part.end.addr() - part.start.addr())
    })
}

/// A record that several threads write to.
#[derive(Debug)]
pub(crate) struct Record {
    began: Instant,
    began_at: SystemTime,
    large: Shared,
    events: Mutex<Events>,
    /// How many peers have come.
    peers: AtomicUsize,
}

#[derive(Debug, Default)]
struct Events {
    list: Vec<Event>,
    /// At this length the middle is folded.
    fold_at: usize,
}

impl Record {
    /// What is sent or received of the `large` message is kept as ranges of it.
    pub(crate) fn new(large: &Shared) -> Self {
        let events = Events { list: Vec::new(), fold_at: 3 * KEPT };
        Self {
            began: Instant::now(),
            began_at: SystemTime::now(),
            large: large.clone(),
            events: Mutex::new(events),
            peers: AtomicUsize::new(0),
        }
    }

    /// When the record began, by the clock on the wall.
    pub(crate) fn began_at(&self) -> SystemTime {
        self.began_at
    }

    /// Names the next peer: `a` to `z`, then `a1` and so on.
    pub(crate) fn next_peer(&self) -> String {
        let number = self.peers.fetch_add(1, Ordering::Relaxed);
        let letter = char::from(b'a' + (number % 26) as u8);
        if number < 26 { letter.to_string() } else { format!("{letter}{}", number / 26) }
    }

    pub(crate) fn note(&self, peer: &str, kind: EventKind, data: &[u8]) {
        let at = self.began.elapsed();
        let mut events = self.lock();
        match events.list.last_mut() {
            Some(last) if last.kind == kind && kind.carries_bytes() && last.peer == peer => {
                last.extend(at, data, Some(&self.large));
            }
            _ => {
                let mut event = Event::new(at, peer, kind, &[]);
                event.extend(at, data, Some(&self.large));
                events.push(event);
            }
        }
    }

    /// A connection was made between these two ends: the harness's, then the program's.
    pub(crate) fn note_connection(
        &self,
        peer: &str,
        kind: EventKind,
        ends: Option<(SocketAddr, SocketAddr)>,
    ) {
        let event = Event { ends, ..Event::new(self.began.elapsed(), peer, kind, &[]) };
        self.lock().push(event);
    }

    /// How many bytes each peer has sent so far.
    pub(crate) fn sent(&self) -> BTreeMap<String, usize> {
        let mut sent = BTreeMap::new();
        for event in self.lock().list.iter().filter(|event| event.kind == EventKind::Send) {
            *sent.entry(event.peer.clone()).or_default() += event.bytes;
        }
        sent
    }

    /// All that was recorded, in order; the record is empty then.
    pub(crate) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.lock().list)
    }

    fn lock(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events {
    fn push(&mut self, event: Event) {
        self.list.push(event);
        if self.list.len() >= self.fold_at {
            self.fold_middle();
            // What cannot be folded, comings and goings, is not gone through again with each event.
            self.fold_at = self.list.len() + KEPT;
        }
    }

    /// Between the beginning and the end, one event is left for each peer and direction, where its
    /// first one stood.
    fn fold_middle(&mut self) {
        let end = self.list.split_off(self.list.len() - KEPT);
        let middle = self.list.split_off(KEPT);
        let mut places: HashMap<(String, EventKind), usize> = HashMap::new();
        for event in middle {
            let next = self.list.len();
            let place = *places.entry((event.peer.clone(), event.kind)).or_insert(next);
            if place < next && event.kind.carries_bytes() {
                self.list[place].fold(event);
            } else {
                self.list.push(event);
            }
        }
        self.list.extend(end);
    }
}

/// Bytes as a person reads them: text as it is, the rest as escapes. At most `most` bytes, then an
/// ellipsis.
pub fn show(bytes: &[u8], most: usize) -> String {
    let shown = bytes[..bytes.len().min(most)].escape_ascii();
    let more = if bytes.len() > most { "…" } else { "" };
    format!("\"{}\"{more}", shown.to_string().replace("\\'", "'"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock};

    use super::*;

    fn record() -> Record {
        Record::new(&Shared::default())
    }

    #[test]
    fn pieces_of_one_stretch_become_one_event() {
        let record = record();
        record.note("a", EventKind::Receive, b"Hel");
        record.note("a", EventKind::Receive, b"lo");
        record.note("b", EventKind::Receive, b"x");

        let events = record.take_events();
        assert_eq!(events.len(), 2);
        assert_eq!((events[0].bytes, events[0].preview.as_slice()), (5, b"Hello".as_slice()));
        assert_eq!(
            (&*events[0].data(), &*events[1].data()),
            (b"Hello".as_slice(), b"x".as_slice())
        );
    }

    #[test]
    fn every_byte_is_kept_and_the_large_message_is_kept_once() {
        let large: Shared =
            Arc::new(OnceLock::from((0..100_000).map(|n| n as u8).collect::<Vec<u8>>()));
        let record = Record::new(&large);
        let message = large.get().unwrap();
        for piece in message.chunks(999) {
            record.note("a", EventKind::Send, piece);
        }
        record.note("a", EventKind::Send, b"and more");
        record.note("a", EventKind::Send, &message[..5]);

        let events = record.take_events();
        assert_eq!(events[0].pieces.len(), 3);
        assert_eq!(events[0].pieces[0], Piece::Of(large.clone(), 0..100_000));
        assert_eq!(&*events[0].data(), [message, b"and more".as_slice(), &message[..5]].concat());
        assert_eq!((events[0].bytes, events[0].preview.as_slice()), (100_013, &message[..PREVIEW]));
    }

    #[test]
    fn a_copy_of_the_large_message_is_not_taken_for_it() {
        let message = vec![7_u8; 100];
        assert_eq!(place_in(&message, &message[10..30]), Some(10..30));
        assert_eq!(place_in(&message[..20], &message[10..30]), None);
        assert_eq!(place_in(&message, &message.clone()), None);
    }

    /// However long it gets, each stream is whole, its comings and goings are where they were, and
    /// its end is as it was.
    #[test]
    fn a_very_long_conversation_is_folded_in_its_middle() {
        let record = record();
        let turns = 8 * KEPT;
        for peer in ["a", "b"] {
            record.note(peer, EventKind::Connect, &[]);
        }
        for turn in 0..turns {
            let peer = if turn % 2 == 0 { "a" } else { "b" };
            record.note(
                peer,
                if turn % 4 < 2 { EventKind::Send } else { EventKind::Receive },
                &(turn as u32).to_le_bytes(),
            );
        }
        record.note("b", EventKind::End, &[]);

        let events = record.take_events();
        assert!(events.len() <= 4 * KEPT, "{}", events.len());
        assert_eq!(events.last().map(|event| event.kind), Some(EventKind::End));
        assert!(events[events.len() - KEPT..].iter().all(|event| event.stretches == 1));
        let stretches: usize = events.iter().map(|event| event.stretches).sum();
        assert_eq!(stretches, turns + 3);
        for (peer, kind, first) in [
            ("a", EventKind::Send, 0),
            ("b", EventKind::Send, 1),
            ("a", EventKind::Receive, 2),
            ("b", EventKind::Receive, 3),
        ] {
            let mine = events.iter().filter(|event| event.peer == peer && event.kind == kind);
            let stream: Vec<u8> = mine.flat_map(|event| event.data().into_owned()).collect();
            let sent: Vec<u8> =
                (first..turns as u32).step_by(4).flat_map(u32::to_le_bytes).collect();
            assert!(stream == sent, "{peer} {kind:?}");
        }
    }

    #[test]
    fn invisible_bytes_are_shown() {
        assert_eq!(show(b"a\r\n\0\xff'\"", 10), r#""a\r\n\x00\xff'\"""#);
        assert_eq!(show(b"abcdef", 3), "\"abc\"…");
    }
}
