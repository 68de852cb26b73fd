//! The record of what went over the wire: the single source of every picture of a conversation.
//!
//! Written by [`crate::peer`], read by whoever reports. Long streams are kept as their number of bytes and their beginning.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How much of each piece is kept to be shown.
const PREVIEW: usize = 64;

/// How many events are kept from the beginning and from the end of a long conversation.
const KEPT: usize = 400;

/// One thing that a peer of the harness did or saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Since the check began.
    pub at: Duration,
    /// Which peer: `a`, `b`, …, in the order of their coming.
    pub peer: String,
    /// What happened.
    pub what: What,
    /// How many bytes went over; 0 where none did.
    pub bytes: usize,
    /// The first of them, at most 64.
    pub preview: Vec<u8>,
}

/// What can happen on the harness's side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The connection was made.
    Connect,
    /// The connection was refused.
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
    /// A wait ended in vain.
    Timeout,
}

/// A record that several threads write to.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    began: Instant,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Record {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), events: Arc::default() }
    }

    pub(crate) fn note(&self, peer: &str, what: What, data: &[u8]) {
        let at = self.began.elapsed();
        let mut events = self.lock();
        match events.last_mut() {
            Some(last) if last.peer == peer && last.what == what && carries_bytes(what) => {
                last.bytes += data.len();
                last.preview.extend(&data[..data.len().min(PREVIEW - last.preview.len().min(PREVIEW))]);
            }
            _ => events.push(Event {
                at,
                peer: peer.to_owned(),
                what,
                bytes: data.len(),
                preview: data[..data.len().min(PREVIEW)].to_vec(),
            }),
        }
        if events.len() > 2 * KEPT {
            events.remove(KEPT);
        }
    }

    /// All that was recorded so far, in order.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pieces of one stretch in one direction belong together: how the network cut them says nothing about the program.
fn carries_bytes(what: What) -> bool {
    matches!(what, What::Send | What::Receive)
}

/// Bytes as a person reads them: text as it is, the rest as escapes. At most `most` bytes, then an ellipsis.
pub fn show(bytes: &[u8], most: usize) -> String {
    let shown = bytes[..bytes.len().min(most)].escape_ascii();
    let more = if bytes.len() > most { "…" } else { "" };
    format!("\"{}\"{more}", shown.to_string().replace("\\'", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_one_stretch_become_one_event() {
        let record = Record::new();
        record.note("a", What::Receive, b"Hel");
        record.note("a", What::Receive, b"lo");
        record.note("b", What::Receive, b"x");

        let events = record.events();
        assert_eq!(events.len(), 2);
        assert_eq!((events[0].bytes, events[0].preview.as_slice()), (5, b"Hello".as_slice()));
    }

    #[test]
    fn a_long_conversation_keeps_its_beginning_and_its_end() {
        let record = Record::new();
        for turn in 0..3 * KEPT {
            record.note(if turn % 2 == 0 { "a" } else { "b" }, What::Connect, &[]);
        }
        record.note("z", What::End, &[]);

        let events = record.events();
        assert_eq!(events.len(), 2 * KEPT);
        assert_eq!(events.last().map(|event| event.what), Some(What::End));
    }

    #[test]
    fn invisible_bytes_are_shown() {
        assert_eq!(show(b"a\r\n\0\xff'\"", 10), r#""a\r\n\x00\xff'\"""#);
        assert_eq!(show(b"abcdef", 3), "\"abc\"…");
    }
}
