//! What a server says before its client does: it is not part of any reply.

use std::sync::{Mutex, PoisonError};

/// The shape of what a server sends first. Its words may be others for each client: a time, an
/// address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Opening {
    /// How many lines, each with its line end.
    lines: usize,
    /// How many bytes after the last line end.
    rest: usize,
}

impl Opening {
    /// Returns the shape of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        let rest = bytes.iter().rev().take_while(|byte| **byte != b'\n').count();
        Self { lines, rest }
    }

    /// Takes away what belongs to the opening from the start of what came next, and returns how
    /// many bytes that is.
    fn take_from(&mut self, came: &[u8]) -> usize {
        let mut taken = 0;
        while self.lines > 0
            && let Some(end) = came[taken..].iter().position(|byte| *byte == b'\n')
        {
            self.lines -= 1;
            taken += end + 1;
        }
        if self.lines > 0 {
            return came.len();
        }
        let of_rest = self.rest.min(came.len() - taken);
        self.rest -= of_rest;
        taken + of_rest
    }
}

/// What of an opening has not come yet on one connection.
#[derive(Debug, Default)]
pub(crate) struct Outstanding(Mutex<Opening>);

impl Outstanding {
    pub(crate) fn new(opening: Opening) -> Self {
        Self(Mutex::new(opening))
    }

    /// Returns whether some of it is still to come.
    pub(crate) fn is_there(&self) -> bool {
        *self.lock() != Opening::default()
    }

    /// Returns how many of the bytes that came belong to the opening.
    pub(crate) fn take_from(&self, came: &[u8]) -> usize {
        self.lock().take_from(came)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Opening> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks how many bytes of each piece are taken for an opening like `like`.
    #[track_caller]
    fn check(like: &[u8], pieces: &[(&[u8], usize)]) {
        let outstanding = Outstanding::new(Opening::of(like));
        for (piece, taken) in pieces {
            assert_eq!(outstanding.take_from(piece), *taken, "{piece:?}");
        }
    }

    #[test]
    fn an_opening_is_taken_away_once() {
        check(b"hi\n", &[(b"ho\nho\n", 3), (b"ho\n", 0)]);
        check(b"> ", &[(b"> echo", 2), (b"> ", 0)]);
    }

    #[test]
    fn an_opening_may_come_in_pieces() {
        check(b"one\ntwo\n> ", &[(b"o", 1), (b"ne\ntw", 5), (b"o\n>", 3), (b" echo", 1)]);
    }

    #[test]
    fn its_lines_may_have_other_lengths() {
        check(b"It is 9:59\n", &[(b"It is 10:00\necho", 12)]);
    }

    #[test]
    fn without_an_opening_all_bytes_count() {
        check(b"", &[(b"hi\n", 0)]);
        assert!(!Outstanding::default().is_there());
    }
}
