//! Reading: until enough is there, something is wrong, or nothing more comes.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::Duration;

use super::{CHUNK, Peer, is_reset, is_timeout};
use crate::engine::received::{End, Ending, Received};
use crate::engine::transcript::{EventKind, show};
use crate::engine::verdict::{Failure, Stop};
use crate::engine::wait::{self, Deadline, Wait};
use crate::fault::Fault;

impl Peer {
    /// Reads until `want` bytes are there.
    pub(crate) fn receive(&self, want: usize, deadline: Deadline) -> Result<Received, Stop> {
        self.receive_until(want, deadline, |_| false)
    }

    /// Reads until `want` bytes are there, or until those that are there are enough.
    pub(super) fn receive_until(
        &self,
        want: usize,
        deadline: Deadline,
        enough: impl Fn(&[u8]) -> bool,
    ) -> Result<Received, Stop> {
        let mut received = Received::default();
        let end = self.read_until(want, deadline, |chunk| {
            received.bytes.extend_from_slice(chunk);
            Taken { enough: enough(&received.bytes), known: None }
        })?;
        end.into_iter().for_each(|end| received.end(end));
        Ok(received)
    }

    /// Reads as many bytes as `expected` has, or fewer where one differs.
    pub(super) fn receive_like(&self, expected: &[u8]) -> Result<Received, Stop> {
        self.receive_more_like(expected, Received::default(), expected.len(), || false)
    }

    /// Reads on until `most` bytes have come in all, one differs from `expected`, or `stop` returns
    /// true.
    pub(super) fn receive_more_like(
        &self,
        expected: &[u8],
        mut so_far: Received,
        most: usize,
        stop: impl Fn() -> bool,
    ) -> Result<Received, Stop> {
        let want = most - so_far.equal - so_far.bytes.len();
        let end = self.read_until(want, wait::REPLY, |chunk| {
            let place = so_far.equal..so_far.equal + chunk.len();
            let known = expected.get(place).filter(|known| *known == chunk);
            match known {
                Some(known) => so_far.equal += known.len(),
                None => so_far.bytes.extend_from_slice(chunk),
            }
            Taken { enough: known.is_none() || stop(), known }
        })?;
        end.into_iter().for_each(|end| so_far.end(end));
        Ok(so_far)
    }

    /// Reads until `want` bytes were taken, one of the chunks was enough, or nothing more comes.
    /// Returns why nothing more came.
    fn read_until<'known>(
        &self,
        want: usize,
        deadline: Deadline,
        mut take: impl FnMut(&[u8]) -> Taken<'known>,
    ) -> Result<Option<End>, Stop> {
        let mut wait = Wait::new(&self.context, deadline, wait::STUCK);
        let mut buffer = vec![0; want.min(CHUNK)];
        let mut last_look = None;
        let mut taken = 0;
        while taken < want {
            let slice = if last_look.is_some() { Duration::from_millis(1) } else { wait.slice() };
            let most = buffer.len().min(want - taken);
            match self.read_some(&mut buffer[..most], slice)? {
                Read1::Bytes(count) => {
                    wait.progress(count);
                    last_look = None;
                    taken += count;
                    if self.note(take(&buffer[..count]), &buffer[..count]) {
                        break;
                    }
                }
                Read1::Ended(ending) => return Ok(Some(ending.into())),
                Read1::Nothing if self.is_on_its_way() && !wait.is_over() => wait.stand_by(),
                Read1::Nothing => match last_look {
                    Some(why) => {
                        let timeout = wait.time_out(why);
                        self.context.record.note(&self.name, EventKind::Timeout, &[]);
                        return Ok(Some(timeout.into()));
                    }
                    None => last_look = wait.gives_up(),
                },
            }
        }
        Ok(None)
    }

    /// Records what came, and returns whether it was enough.
    fn note(&self, taken: Taken<'_>, came: &[u8]) -> bool {
        self.context.record.note(&self.name, EventKind::Receive, taken.known.unwrap_or(came));
        taken.enough
    }

    /// Reads once; waits for at most `slice`. The caller records what came.
    fn read_some(&self, buffer: &mut [u8], slice: Duration) -> Result<Read1, Stop> {
        let ended = |kind, ending| {
            self.context.record.note(&self.name, kind, &[]);
            Ok(Read1::Ended(ending))
        };
        acknowledge_at_once(&self.stream);
        if !readable(&self.stream, slice).map_err(Fault::from)? {
            return Ok(Read1::Nothing);
        }
        match (&*self.stream).read(buffer) {
            Ok(0) => ended(EventKind::End, Ending::EndOfStream),
            Ok(n) => match self.without_opening(buffer, n) {
                0 => self.read_some(buffer, slice),
                left => Ok(Read1::Bytes(left)),
            },
            Err(error) if is_timeout(&error) => Ok(Read1::Nothing),
            Err(error) if is_reset(&error) => ended(EventKind::Reset, Ending::Reset),
            Err(error) => Err(Fault::from(error).into()),
        }
    }

    /// Records and takes away what the server sends first. Returns how many bytes are left.
    fn without_opening(&self, buffer: &mut [u8], count: usize) -> usize {
        let taken = self.opening.take_from(&buffer[..count]);
        if taken > 0 {
            self.context.record.note(&self.name, EventKind::Receive, &buffer[..taken]);
            buffer.copy_within(taken..count, 0);
        }
        count - taken
    }

    /// Returns what comes until nothing in the program can move, or for `at_most`.
    pub(crate) fn whatever_comes(&self, at_most: Duration) -> Result<Vec<u8>, Stop> {
        wait::settle(&self.context, at_most, wait::STUCK);
        self.what_is_there()
    }

    /// Returns some of what has come for this peer and was not read, if anything has.
    pub(crate) fn surplus(&self) -> Option<Vec<u8>> {
        self.what_is_there().ok().filter(|bytes| !bytes.is_empty())
    }

    fn what_is_there(&self) -> Result<Vec<u8>, Stop> {
        let mut buffer = [0; 4096];
        match self.read_some(&mut buffer, Duration::from_millis(1))? {
            Read1::Bytes(count) => {
                self.context.record.note(&self.name, EventKind::Receive, &buffer[..count]);
                Ok(buffer[..count].to_vec())
            }
            Read1::Ended(_) | Read1::Nothing => Ok(Vec::new()),
        }
    }

    /// Returns how the stream has ended, if it does so within this time; no byte may come before.
    pub(crate) fn ended(&self, within: Duration) -> Result<Option<Ending>, Stop> {
        let mut buffer = [0; 256];
        match self.read_some(&mut buffer, within)? {
            Read1::Ended(ending) => Ok(Some(ending)),
            Read1::Nothing => Ok(None),
            Read1::Bytes(n) => {
                let expected = format!("no bytes for {}", self.whom());
                Err(Failure::new(expected, show(&buffer[..n], 40)).into())
            }
        }
    }
}

/// What the reader made of bytes that came.
struct Taken<'known> {
    /// Whether no more are wanted.
    enough: bool,
    /// The same bytes where the harness has them already, to be recorded without a copy.
    known: Option<&'known [u8]>,
}

enum Read1 {
    Bytes(usize),
    Ended(Ending),
    Nothing,
}

/// Acknowledges what comes without a delay. A server that leaves Nagle's algorithm on and writes a
/// reply in pieces would wait for the harness's delayed acknowledgements, 40 ms each (tcp(7),
/// TCP_QUICKACK; the option does not last, so it is set before each read).
#[cfg(target_os = "linux")]
fn acknowledge_at_once(stream: &TcpStream) {
    _ = socket2::SockRef::from(stream).set_tcp_quickack(true);
}

#[cfg(not(target_os = "linux"))]
fn acknowledge_at_once(_stream: &TcpStream) {}

/// Waits for something to read, or for the end. Elsewhere than on Unix the read itself waits.
#[cfg(unix)]
fn readable(stream: &TcpStream, slice: Duration) -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let timeout = Timespec { tv_sec: slice.as_secs() as i64, tv_nsec: slice.subsec_nanos().into() };
    match poll(&mut [PollFd::new(stream, PollFlags::IN)], Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn readable(stream: &TcpStream, slice: Duration) -> io::Result<bool> {
    stream.set_read_timeout(Some(slice.max(Duration::from_millis(1))))?;
    Ok(true)
}
