//! Expected bytes beside observed ones: where they part, and how.

use std::fmt;

use crate::engine::received::{Ending, Received};

/// How many bytes are kept before the first wrong one.
const BEFORE: usize = 8;

/// How many bytes of each side are kept round the first wrong one.
const KEPT: usize = 4096;

/// Where a stream parts from the one that was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How many bytes were as expected before the first that was not: its offset, counted from 0.
    pub at: usize,
    /// How they differ there.
    pub deviation: Deviation,
    /// How many bytes should have come.
    pub expected_length: usize,
    /// How many bytes came until the difference was found; more may have been on their way.
    pub observed_length: usize,
    /// The offset of the first byte of the two stretches below, a little before `at`.
    pub from: usize,
    /// What should have come from there on, at most 4 KiB.
    pub expected: Vec<u8>,
    /// What came from there on, at most 4 KiB.
    pub observed: Vec<u8>,
    /// Why nothing more came, where that is known.
    pub ending: Option<Ending>,
}

/// How a stream differs from the one that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deviation {
    /// It stops: these many bytes did not come.
    Short(usize),
    /// It goes on though nothing should follow: these many bytes came besides.
    Long(usize),
    /// Bytes are left out, and those after them have moved up.
    Lost(usize),
    /// Bytes that do not belong there stand before those that do.
    Added(usize),
    /// All of it may be there, but later bytes came before earlier ones.
    OutOfOrder,
    /// Other bytes stand in their place.
    Changed,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(n) => write!(f, "{} missing at the end", bytes(*n)),
            Self::Long(n) => write!(f, "{} too many at the end", bytes(*n)),
            Self::Lost(n) => write!(f, "{} missing", bytes(*n)),
            Self::Added(n) => write!(f, "{} added", bytes(*n)),
            Self::OutOfOrder => f.write_str("out of order"),
            Self::Changed => f.write_str("changed"),
        }
    }
}

/// `1 byte`, `1025 bytes`.
pub(crate) fn bytes(count: usize) -> String {
    format!("{count} byte{}", if count == 1 { "" } else { "s" })
}

impl Difference {
    /// `None` where all of `expected` came and nothing else.
    pub(crate) fn between(expected: &[u8], received: &Received) -> Option<Self> {
        let (equal, got) = (received.equal, received.bytes.as_slice());
        let rest = &expected[equal..];
        if received.ending.is_none() && got == rest {
            return None;
        }
        let same = rest.iter().zip(got).take_while(|(a, b)| a == b).count();
        let at = equal + same;
        let from = at.saturating_sub(BEFORE);
        let there =
            [&expected[from.min(equal)..equal], &got[from.saturating_sub(equal)..]].concat();
        Some(Self {
            at,
            deviation: deviation(&expected[..at], &rest[same..], &got[same..]),
            expected_length: expected.len(),
            observed_length: equal + got.len(),
            from,
            expected: expected[from..expected.len().min(from + KEPT)].to_vec(),
            observed: there[..there.len().min(KEPT)].to_vec(),
            ending: received.ending,
        })
    }

    /// What came from the first wrong byte on, as far as it was kept.
    pub(crate) fn wrong(&self) -> &[u8] {
        &self.observed[self.at - self.from..]
    }
}

/// The streams were `before` so far; then `expected` should have come, and `got` did.
fn deviation(before: &[u8], expected: &[u8], got: &[u8]) -> Deviation {
    if got.is_empty() {
        return Deviation::Short(expected.len());
    }
    if expected.is_empty() {
        return Deviation::Long(got.len());
    }
    let skipped = find(expected, got).filter(|at| *at > 0);
    let pushed = find(got, expected).filter(|at| *at > 0);
    match (skipped, pushed) {
        (Some(lost), _) if comes_after_all(expected, got, lost) => Deviation::OutOfOrder,
        (Some(lost), _) => Deviation::Lost(lost),
        (None, Some(added)) => Deviation::Added(added),
        // The end of what came before stands there again, and nothing after it is known: bytes of
        // an earlier turn.
        (None, None) if find(before, got).is_some() => Deviation::Added(got.len()),
        (None, None) => Deviation::Changed,
    }
}

/// Returns whether the bytes that were skipped come after those that came in their place.
fn comes_after_all(expected: &[u8], got: &[u8], skipped: usize) -> bool {
    let moved = common(&expected[skipped..], got);
    let (stretch, later) = (&expected[..skipped], &got[..got.len().min(moved + skipped)]);
    later.windows(skipped).any(|window| window == stretch)
}

fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// This many equal bytes are no chance …
const MATCH: usize = 8;

/// … and where there are fewer, at least these.
const LEAST_MATCH: usize = 2;

/// Returns where in `stream` the beginning of `stretch` stands: the place from which most bytes are
/// the same, because short stretches of a long payload repeat.
fn find(stream: &[u8], stretch: &[u8]) -> Option<usize> {
    let key = &stretch[..stretch.len().min(MATCH)];
    if key.len() < LEAST_MATCH {
        return None;
    }
    let places = stream.windows(key.len()).enumerate().filter(|(_, window)| *window == key);
    let common = |at: usize| common(&stream[at..], stretch);
    places.map(|(at, _)| at).reduce(|best, at| if common(at) > common(best) { at } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn deviates(expected: &[u8], came: &[u8], how: Deviation) {
        let equal = expected.iter().zip(came).take_while(|(a, b)| a == b).count();
        let received = Received::of(equal, &came[equal..], None);
        let difference = Difference::between(expected, &received).unwrap();
        assert_eq!((difference.deviation, difference.at), (how, equal));
    }

    #[test]
    fn lost_added_changed_and_moved_bytes_are_told_apart() {
        let message = b"abcdefghijklmnoprstuvwxyz0123456789";
        deviates(message, b"abcdefghijnoprstuvwxyz0123456789", Deviation::Lost(3));
        deviates(message, b"abcdefghij\0\0klmnoprstuvwxyz0123", Deviation::Added(2));
        deviates(message, b"abcdefghijKLmnoprstuvwxyz0123456789", Deviation::Changed);
        deviates(message, b"abcdefstuvwxyzghijklmnopr0123456789", Deviation::OutOfOrder);
        deviates(message, b"abcdefstuvwxyz0123456789ghijklm", Deviation::Lost(11));
        deviates(message, b"abcdef", Deviation::Short(29));
        deviates(b"abc", b"abc\n", Deviation::Long(1));
        deviates(message, b"greetingabcdefghijklmnoprstuvwxyz0123456789", Deviation::Added(8));
    }

    #[test]
    fn bytes_of_an_earlier_turn_are_added() {
        deviates(b"abcdefghijklmn0123456789", b"abcdefghijklmnefghijklmn", Deviation::Added(10));
    }

    #[test]
    fn a_short_answer_in_other_bytes_is_changed() {
        deviates(b"Hello", b"HELLO", Deviation::Changed);
        deviates(b"ab", b"xy", Deviation::Changed);
    }
}
