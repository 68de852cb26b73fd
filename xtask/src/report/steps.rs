//! What reports say and draw of each kind of event. Only this file matches on the kind: a new kind
//! needs one arm in [`of`].

use suite::{Event, EventKind};

/// The direction in which the arrow of an event points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToProgram,
    FromProgram,
}

/// What an event does to its connection. This decides how the event is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Connects,
    /// A connection to the program is refused.
    IsRefused,
    SendsBytes,
    EndsStream,
    Closes,
    Resets,
    /// The harness waited, and nothing came.
    Waits,
}

/// What reports need to know of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) direction: Direction,
    pub(super) act: Act,
    /// The words beside the arrow. Empty for bytes, which are shown instead.
    pub(super) words: &'static str,
    /// The words without an arrow, in which `{peer}`, `{program}` and `{bytes}` are replaced.
    pub(super) sentence: &'static str,
}

/// Returns what reports need to know of an event.
pub(super) fn of(event: &Event) -> Step {
    use Act::{Closes, Connects, EndsStream, IsRefused, Resets, SendsBytes, Waits};
    use Direction::{FromProgram, ToProgram};
    let (direction, act, words, sentence) = match event.kind {
        EventKind::Connect => (ToProgram, Connects, "connects", "{peer} connects."),
        EventKind::Accept => (FromProgram, Connects, "connects", "{program} connects to {peer}."),
        EventKind::Refused => (
            FromProgram,
            IsRefused,
            "connection refused",
            "{peer} tries to connect and is refused.",
        ),
        EventKind::Send => (ToProgram, SendsBytes, "", "{peer} sends {bytes}"),
        EventKind::Receive => (FromProgram, SendsBytes, "", "{program} sends {peer} {bytes}"),
        EventKind::HalfClose => {
            (ToProgram, EndsStream, "end of stream", "{peer} ends its stream and goes on reading.")
        }
        EventKind::Close => (ToProgram, Closes, "closes", "{peer} closes."),
        EventKind::SendReset => (ToProgram, Resets, "reset", "{peer} resets the connection."),
        EventKind::End => {
            (FromProgram, EndsStream, "end of stream", "{program} ends its stream to {peer}.")
        }
        EventKind::Reset => {
            (FromProgram, Resets, "reset", "{program} resets the connection of {peer}.")
        }
        EventKind::Timeout => {
            (FromProgram, Waits, "nothing more", "{peer} waits for {program}, and nothing comes.")
        }
    };
    Step { direction, act, words, sentence }
}

/// Returns the direction of an event's bytes, or `None` if it carries none.
pub(super) fn direction_of_bytes(event: &Event) -> Option<Direction> {
    event.kind.carries_bytes().then(|| of(event).direction)
}

/// Returns whether bytes went to the program.
pub(super) fn is_sent(event: &Event) -> bool {
    direction_of_bytes(event) == Some(Direction::ToProgram)
}

/// Returns whether bytes came from the program.
pub(crate) fn is_received(event: &Event) -> bool {
    direction_of_bytes(event) == Some(Direction::FromProgram)
}

impl Step {
    /// Returns the value of `event` in JSON, and the `preview` of an event without bytes.
    pub(super) fn json(self) -> (&'static str, &'static str) {
        match (self.act, self.direction) {
            (Act::Connects, _) => ("connect", ""),
            (Act::IsRefused, _) => ("reset", "(connection refused)"),
            (Act::SendsBytes, Direction::ToProgram) => ("send", ""),
            (Act::SendsBytes, Direction::FromProgram) => ("receive", ""),
            (Act::EndsStream, Direction::ToProgram) => ("send", "(end of stream)"),
            (Act::EndsStream, Direction::FromProgram) => ("end", ""),
            (Act::Closes, _) => ("send", "(close)"),
            (Act::Resets, Direction::ToProgram) => ("send", "(reset)"),
            (Act::Resets, Direction::FromProgram) => ("reset", ""),
            (Act::Waits, _) => ("timeout", ""),
        }
    }

    /// Returns whether the event makes a connection in this direction.
    pub(super) fn connects(self, direction: Direction) -> bool {
        (self.act, self.direction) == (Act::Connects, direction)
    }

    /// Returns whether nothing of the connection comes before the event.
    pub(super) fn is_first(self) -> bool {
        matches!(self.act, Act::Connects | Act::IsRefused)
    }

    /// Returns whether nothing of the connection comes after the event.
    pub(super) fn is_last(self) -> bool {
        matches!(self.act, Act::Closes | Act::Resets | Act::IsRefused)
    }
}

impl Direction {
    pub(super) fn arrow(self) -> &'static str {
        match self {
            Self::ToProgram => "→",
            Self::FromProgram => "←",
        }
    }
}
