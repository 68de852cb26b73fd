//! Writing: at once, in pieces, beside a reader, or until the program takes no more.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{CHUNK, Peer, STALL, is_reset, is_timeout};
use crate::engine::transcript::EventKind;
use crate::engine::verdict::{Failure, Stop};
use crate::engine::wait::{self, Proof, Timeout, Wait, wait_for};
use crate::fault::Fault;

/// How long nothing may move for one proof that a writer stands still.
const STILL: Duration = Duration::from_millis(20);

/// What a writing thread and its reader know of each other.
#[derive(Debug, Default)]
pub(super) struct Writing {
    done: AtomicBool,
    /// Whether the last attempt wrote nothing.
    blocked: AtomicBool,
    stop: AtomicBool,
}

impl Writing {
    /// Returns whether all is written, or the connection broke.
    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    fn is_at_rest(&self) -> bool {
        self.is_done() || self.blocked.load(Ordering::Acquire)
    }
}

impl Peer {
    /// Sends a message, and does not read. A reset shows in the next read.
    pub(crate) fn send(&self, message: &[u8]) -> Result<(), Stop> {
        let mut wait = Wait::new(&self.context, wait::REPLY, Proof::Nothing);
        let mut rest = message;
        while !rest.is_empty() {
            match self.write_some(rest) {
                Ok(0) => {
                    if let Some(why) = wait.gives_up() {
                        let taken = message.len() - rest.len();
                        return Err(self.takes_no_more(taken, message.len(), wait.time_out(why)));
                    }
                }
                Ok(n) => {
                    wait.progress(n);
                    rest = &rest[n..];
                }
                Err(error) if is_reset(&error) => return Ok(()),
                Err(error) => return Err(Fault::from(error).into()),
            }
        }
        Ok(())
    }

    fn takes_no_more(&self, taken: usize, of: usize, timeout: Timeout) -> Stop {
        self.context.record.note(&self.name, EventKind::Timeout, &[]);
        let expected = format!("{} to be able to send {of} bytes", self.whom());
        let observed = format!("only {taken} of them were taken, then {}", timeout.why);
        self.failure(expected, observed).at(timeout.snapshot).into()
    }

    /// Writes what fits now; 0 where nothing did for a moment.
    fn write_some(&self, bytes: &[u8]) -> io::Result<usize> {
        match (&*self.stream).write(&bytes[..bytes.len().min(CHUNK)]) {
            Ok(n) => {
                self.context.record.note(&self.name, EventKind::Send, &bytes[..n]);
                Ok(n)
            }
            Err(error) if is_timeout(&error) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Writes `message` while `reading` reads.
    pub(super) fn writing<T>(
        &self,
        message: &[u8],
        reading: impl FnOnce(&Writing) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let writing = Writing::default();
        std::thread::scope(|scope| {
            let at_work = self.context.activity.begin_writing();
            let write = || {
                let _at_work = at_work;
                let written = self.write_until(message, &writing);
                writing.done.store(true, Ordering::Release);
                written
            };
            let writer =
                std::thread::Builder::new().spawn_scoped(scope, write).map_err(Fault::from)?;
            let read = reading(&writing);
            writing.stop.store(true, Ordering::Release);
            match writer.join() {
                Ok(Err(error)) if !is_reset(&error) => Err(Fault::from(error).into()),
                Ok(_) => read,
                Err(_) => Err(Fault("a writing thread panicked".to_owned()).into()),
            }
        })
    }

    /// Writes until everything is sent, the reader says stop, or the connection breaks.
    fn write_until(&self, message: &[u8], writing: &Writing) -> io::Result<()> {
        let mut rest = message;
        while !rest.is_empty() && !writing.stop.load(Ordering::Acquire) {
            let written = self.write_some(rest)?;
            writing.blocked.store(written == 0, Ordering::Release);
            rest = &rest[written..];
        }
        Ok(())
    }

    /// Waits until a writer gets no further: everything is sent, or the program and its buffers
    /// hold all they will.
    pub(super) fn until_still(&self, writing: &Writing) {
        _ = wait_for(Wait::new(&self.context, STALL, Proof::Nothing), |slice| {
            std::thread::sleep(slice); // a stall is the absence of events
            let is_drained = || wait::settle(&self.context, STILL, wait::STALLED);
            (writing.is_at_rest() && is_drained()).then_some(())
        });
    }

    /// Writes as much as the program and the buffers between take without anything being read.
    pub(crate) fn send_what_fits(&self, message: &[u8]) -> Result<(), Stop> {
        self.writing(message, |writing| {
            self.until_still(writing);
            Ok(())
        })
    }

    /// Sends pieces of this length, each once the program has taken the one before, until it takes
    /// no more. Reads nothing. Returns the number of bytes sent.
    pub(crate) fn send_whole_pieces(&self, message: &[u8], length: usize) -> Result<usize, Stop> {
        let mut sent = 0;
        for piece in message.chunks(length) {
            self.send(piece)?;
            sent += piece.len();
            let taken = wait_for(Wait::new(&self.context, wait::TAKING, wait::STALLED), |slice| {
                std::thread::sleep(slice.min(STILL)); // reading gives no notice
                self.is_taken().then_some(())
            });
            if taken.is_err() {
                break;
            }
        }
        Ok(sent)
    }

    /// Sends `message` up to `times` times and reads nothing, until the program takes no more, or
    /// `enough` of the number of bytes sent returns true. Returns that number.
    pub(crate) fn flood(
        &self,
        message: &[u8],
        times: usize,
        mut enough: impl FnMut(usize) -> bool,
    ) -> Result<usize, Stop> {
        let most = message.len() * times;
        let mut wait = Wait::new(&self.context, wait::TAKING, wait::STALLED);
        let mut sent = 0;
        while sent < most && !enough(sent) {
            match self.write_some(&message[sent % message.len()..]) {
                Ok(0) if wait.gives_up().is_some() => break,
                Ok(0) => {}
                Ok(n) => {
                    wait.progress(n);
                    sent += n;
                }
                Err(error) => {
                    let who = self.whom();
                    let expected = format!(
                        "your program to keep the connection open while {who} does not read"
                    );
                    return Err(self.cut_off(error, expected, sent));
                }
            }
        }
        Ok(sent)
    }

    /// Sends a message piece by piece, each when the program has taken the one before. The program
    /// must not close before it has them all.
    pub(crate) fn send_pieces<'a>(
        &self,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), Stop> {
        let mut sent = 0;
        for piece in pieces {
            if let Err(error) = (&*self.stream).write_all(piece) {
                let expected =
                    format!("your program to take all bytes on connection {}", self.name);
                return Err(self.cut_off(error, expected, sent));
            }
            self.context.record.note(&self.name, EventKind::Send, piece);
            sent += piece.len();
            self.until_taken()?;
        }
        Ok(())
    }

    fn cut_off(&self, error: io::Error, expected: String, sent: usize) -> Stop {
        if !is_reset(&error) {
            return Fault::from(error).into();
        }
        self.context.record.note(&self.name, EventKind::Reset, &[]);
        let observed = format!("a connection that was closed after {sent} bytes");
        Failure::new(expected, observed).maybe_of_a_death().into()
    }
}
