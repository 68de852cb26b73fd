//! What a peer received: bytes, how the stream ended, and where the program was if nothing came.

use std::fmt;
use std::sync::Arc;

use crate::engine::snapshot::Snapshot;
use crate::engine::wait::{GaveUp, Timeout};

/// How a stream of bytes from the program ended before all of it was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The program ended its side.
    EndOfStream,
    /// The connection was reset.
    Reset,
    /// Nothing more came.
    Silence(GaveUp),
}

impl Ending {
    /// Whether the connection is gone.
    pub(crate) fn is_closed(self) -> bool {
        !self.is_silence()
    }

    /// Whether the connection is there, and nothing comes.
    pub(crate) fn is_silence(self) -> bool {
        matches!(self, Self::Silence(_))
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndOfStream => f.write_str("end of stream"),
            Self::Reset => f.write_str("a reset"),
            Self::Silence(gave_up) => gave_up.fmt(f),
        }
    }
}

/// What came, and why nothing more did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    /// How many bytes were as expected; these are not kept.
    pub(crate) equal: usize,
    /// The bytes that came after them.
    pub(crate) bytes: Vec<u8>,
    pub(crate) ending: Option<Ending>,
    /// Where the programs were, where the ending is silence that speaks against them.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
}

impl Received {
    pub(crate) fn of(equal: usize, bytes: &[u8], ending: Option<Ending>) -> Self {
        Self { equal, bytes: bytes.to_vec(), ending, snapshot: None }
    }

    /// Returns whether all of `expected` came, and no more so far.
    pub(crate) fn is_all_of(&self, expected: &[u8]) -> bool {
        self.equal == expected.len() && self.bytes.is_empty()
    }

    /// Returns whether the connection is there, and nothing came.
    pub(crate) fn is_silent(&self) -> bool {
        self.ending.is_some_and(Ending::is_silence)
    }

    /// Notes why nothing more comes.
    pub(crate) fn end(&mut self, end: End) {
        (self.ending, self.snapshot) = (Some(end.ending), end.snapshot);
    }
}

/// How a stream ended, with where the programs were if it fell silent.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub(crate) ending: Ending,
    pub(crate) snapshot: Option<Arc<Snapshot>>,
}

impl From<Ending> for End {
    fn from(ending: Ending) -> Self {
        Self { ending, snapshot: None }
    }
}

impl From<Timeout> for End {
    fn from(timeout: Timeout) -> Self {
        Self { ending: Ending::Silence(timeout.why), snapshot: timeout.snapshot }
    }
}
