//! The harness's end of one connection: it connects or is connected to, sends, and expects.
//!
//! Everything that a peer does and sees is recorded, and what it returns has the evidence in it: a
//! check compares, the peer says what it expected and what came.
//!
//! Sockets and buffers are real: a slow reader has a small SO_RCVBUF, so its window closes
//! (RFC 9293 §3.8.6), and a reset is SO_LINGER 0 (socket(7)). A peer that is dropped resets its
//! connection, so that no TIME_WAIT is left behind; one that should close in order says so.

mod connect;
mod read;
mod write;

use std::io::ErrorKind;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;

use crate::engine::compare;
use crate::engine::context::Context;
use crate::engine::difference::bytes;
pub(crate) use crate::engine::network::{is_reset, is_timeout};
use crate::engine::opening::{Opening, Outstanding};
use crate::engine::received::{Ending, Received};
use crate::engine::transcript::{EventKind, show};
use crate::engine::verdict::{Failure, Stop};
use crate::engine::wait::{self, Deadline, Proof, Wait, wait_for};
use crate::fault::Fault;
use crate::observe::ProcessTree;

/// How often a writer looks whether it should stop.
const WRITE_SLICE: Duration = Duration::from_millis(4);

/// How much is read or written at once, in bytes.
const CHUNK: usize = 128 * 1024;

/// How long a writer must stand still to be called blocked, where nothing proves it.
const STALL: Deadline = Deadline::at_most(Duration::from_millis(300));

/// How long a program may take to come to rest before a peer leaves.
const COMING_TO_REST: Duration = Duration::from_millis(100);

/// The harness's end of one connection.
#[derive(Debug)]
pub(crate) struct Peer {
    name: String,
    stream: Arc<TcpStream>,
    context: Arc<Context>,
    tree: ProcessTree,
    /// What the server sends first, as far as it has not come.
    opening: Outstanding,
    leaves: Leaves,
}

/// How a peer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaves {
    /// It is only dropped: its connection is reset as soon as something else begins.
    Sometime,
    Closed,
    Reset,
}

impl Peer {
    pub(crate) fn new(
        name: String,
        stream: TcpStream,
        context: &Arc<Context>,
        tree: ProcessTree,
        kind: EventKind,
    ) -> Result<Self, Stop> {
        context.activity.end_what_was_left();
        stream.set_nodelay(true).map_err(Fault::from)?;
        stream.set_write_timeout(Some(WRITE_SLICE)).map_err(Fault::from)?;
        let stream = Arc::new(stream);
        context.activity.add_connection(&name, &stream);
        let ends = stream.local_addr().ok().zip(stream.peer_addr().ok());
        context.record.note_connection(&name, kind, ends);
        let context = context.clone();
        let opening = Outstanding::default();
        Ok(Self { name, stream, context, tree, opening, leaves: Leaves::Sometime })
    }

    /// Reads this opening before all else.
    pub(crate) fn after(mut self, opening: Opening) -> Self {
        self.opening = Outstanding::new(opening);
        self
    }

    /// Closes once the program has come to rest: how it takes an end of stream that comes while it
    /// still works is the matter of the checks that are about the end.
    pub(crate) fn leave(self) {
        wait::settle(&self.context, COMING_TO_REST, wait::STUCK);
        self.close();
    }

    /// Sends a question and expects its answer, with nothing else meanwhile.
    pub(crate) fn ask(&mut self, question: &[u8], answer: &[u8]) -> Result<(), Stop> {
        /// Above this size, in bytes, a thread writes: TCP may hold less than the question.
        const SMALL: usize = 32 * 1024;
        let received = if question.len() <= SMALL {
            self.send(question)?;
            self.receive_like(answer)?
        } else {
            self.writing(question, |_| self.receive_like(answer))?
        };
        self.compare(answer, &received)
    }

    /// Sends a question and begins to read only once writing has come to a stop; `meanwhile`
    /// happens before the first byte is read. Expects the whole answer.
    pub(crate) fn ask_slowly(
        &mut self,
        question: &[u8],
        answer: &[u8],
        meanwhile: impl FnOnce(&Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let received = self.writing(question, |writing| {
            self.until_still(writing);
            meanwhile(self)?;
            self.receive_like(answer)
        })?;
        self.compare(answer, &received)
    }

    /// Sends a question, half-closes, and only then begins to read, when nothing moves any more or
    /// after `pause`. What must be read so that the whole
    /// question can be sent is read before.
    pub(crate) fn ask_and_half_close(
        &mut self,
        question: &[u8],
        answer: &[u8],
        pause: Duration,
    ) -> Result<Received, Stop> {
        let received = self.writing(question, |writing| {
            self.until_still(writing);
            if writing.is_done() {
                return Ok(Received::default());
            }
            let stop = || writing.is_done();
            self.receive_more_like(answer, Received::default(), answer.len(), stop)
        })?;
        if received.ending.is_some() || !received.bytes.is_empty() {
            return Ok(received);
        }
        self.half_close()?;
        wait::settle(&self.context, pause, wait::STALLED);
        let one_too_many = answer.len() + 1;
        self.receive_more_like(answer, received, one_too_many, || false)
    }

    /// Sends a question and half-closes at once, before it reads. The end of the stream travels with
    /// the last bytes, where the system can hold these back for it (tcp(7), TCP_CORK).
    pub(crate) fn ask_and_half_close_at_once(
        &mut self,
        question: &[u8],
        answer: &[u8],
    ) -> Result<Received, Stop> {
        #[cfg(target_os = "linux")]
        socket2::SockRef::from(&*self.stream).set_tcp_cork(true).map_err(Fault::from)?;
        self.send(question)?;
        self.half_close()?;
        let one_too_many = answer.len() + 1;
        self.receive_more_like(answer, Received::default(), one_too_many, || false)
    }

    /// Holds when all of `expected` came and nothing else. Where it did not, the program may just
    /// have died.
    fn compare(&self, expected: &[u8], received: &Received) -> Result<(), Stop> {
        let of_this_peer = |failure: Failure| Failure {
            peer: Some(self.name.clone()),
            ..failure.maybe_of_a_death()
        };
        Ok(compare::same(expected, received, &self.whom()).map_err(of_this_peer)?)
    }

    /// Makes a failure that is about this peer. The program may just have died.
    fn failure(&self, expected: String, observed: String) -> Failure {
        let failure = Failure::new(expected, observed).maybe_of_a_death();
        Failure { peer: Some(self.name.clone()), ..failure }
    }

    /// Returns what a failure calls this peer.
    fn whom(&self) -> String {
        format!("client {}", self.name)
    }

    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Returns whether any byte comes.
    pub(crate) fn is_answered(&self) -> Result<bool, Stop> {
        Ok(!self.receive(1, wait::REPLY)?.bytes.is_empty())
    }

    /// Returns whether the program is seen to hold its end of this connection. A connection that
    /// waits to be accepted belongs to no process yet.
    pub(crate) fn is_accepted(&self) -> bool {
        self.stream.local_addr().is_ok_and(|here| self.tree.unread_from(here).is_some())
    }

    /// Returns whether the program soon holds its end of this connection.
    pub(crate) fn is_accepted_soon(&self) -> bool {
        const SOON: Duration = Duration::from_millis(250);
        let wait = Wait::new(&self.context, Deadline::at_most(SOON), Proof::Nothing);
        let accepted = wait_for(wait, |slice| {
            std::thread::sleep(slice.min(Duration::from_millis(1))); // accepting gives no notice
            self.is_accepted().then_some(())
        });
        accepted.is_ok()
    }

    /// Returns the number of bytes that the program asks for in the read in which it waits for this
    /// peer, once nothing in it can move.
    pub(crate) fn asked_for(&self) -> Option<usize> {
        wait::settle(&self.context, STALL.waiting, wait::STUCK);
        self.tree.read_size()
    }

    /// Expects exactly these bytes next.
    pub(crate) fn expect(&mut self, expected: &[u8]) -> Result<(), Stop> {
        let received = self.receive(expected.len(), wait::REPLY)?;
        self.compare(expected, &received)
    }

    /// The same for a long stream. Reading ends where a byte differs.
    pub(crate) fn expect_stream(&mut self, expected: &[u8]) -> Result<(), Stop> {
        let received = self.receive_like(expected)?;
        self.compare(expected, &received)
    }

    /// Reads until these bytes are there, with any other bytes before them.
    pub(crate) fn receive_among_others(&mut self, expected: &[u8]) -> Result<Received, Stop> {
        const MOST: usize = 64 * 1024;
        let found = |bytes: &[u8]| bytes.windows(expected.len()).any(|window| window == expected);
        let received = self.receive_until(MOST, wait::REPLY, found)?;
        if found(&received.bytes) {
            return Ok(received);
        }
        self.compare(expected, &received)?;
        Ok(received)
    }

    /// Ends this side, and expects that nothing comes after `answer`, in words. The answer is
    /// complete, so this only ends the wait.
    pub(crate) fn expect_nothing_after(&mut self, answer: &str) -> Result<(), Stop> {
        self.half_close()?;
        let more = self.receive(1024, wait::SILENCE)?.bytes;
        if more.is_empty() {
            return Ok(());
        }
        let expected = format!("no byte for {} after {answer}", self.whom());
        let observed = format!("{} more: {}", bytes(more.len()), show(&more, 32));
        Err(self.failure(expected, observed).into())
    }

    /// Expects the end of the stream next.
    pub(crate) fn expect_end(&mut self, deadline: Deadline) -> Result<(), Stop> {
        let received = self.receive(1, deadline)?;
        let observed = match received.ending {
            Some(Ending::EndOfStream) => return Ok(()),
            Some(ending) => ending.to_string(),
            None => format!("more bytes: {}", show(&received.bytes, 32)),
        };
        let expected = format!("end of stream for {}", self.whom());
        Err(self.failure(expected, observed).at(received.snapshot).into())
    }

    /// Waits until the program has taken what was sent from its receive buffer. Where the system
    /// does not show that, it pauses.
    pub(crate) fn until_taken(&self) -> Result<(), Stop> {
        const AT_MOST: Duration = Duration::from_secs(2);
        const PAUSE: Duration = Duration::from_millis(30);
        let here = self.stream.local_addr().map_err(Fault::from)?;
        if self.tree.unread_from(here).is_none() {
            std::thread::sleep(PAUSE);
            return Ok(());
        }
        let wait = Wait::new(&self.context, Deadline::at_most(AT_MOST), Proof::Nothing);
        _ = wait_for(wait, |slice| {
            std::thread::sleep(slice.min(Duration::from_millis(1))); // reading gives no notice
            self.is_taken().then_some(())
        });
        Ok(())
    }

    /// Returns whether the program has taken what was sent, as far as the system shows that.
    pub(crate) fn is_taken(&self) -> bool {
        let unread = || self.stream.local_addr().ok().and_then(|here| self.tree.unread_from(here));
        self.has_arrived() && unread().is_none_or(|unread| unread == 0)
    }

    /// Returns whether bytes for the program wait in the harness's send queue, and the program has
    /// taken all that came. Its receive buffer may be so small that the kernel sends only now and
    /// then.
    pub(super) fn is_on_its_way(&self) -> bool {
        let unread = || self.stream.local_addr().ok().and_then(|here| self.tree.unread_from(here));
        !self.has_arrived() && unread() == Some(0)
    }

    /// Returns whether what was sent is in the program's receive buffer, or further.
    fn has_arrived(&self) -> bool {
        #[cfg(unix)]
        return crate::observe::is_drained(&self.stream, crate::observe::SendQueues::Empty);
        #[cfg(not(unix))]
        true
    }

    /// Ends this side of the stream; the other side may still send.
    pub(crate) fn half_close(&self) -> Result<(), Stop> {
        self.context.record.note(&self.name, EventKind::HalfClose, &[]);
        match self.stream.shutdown(Shutdown::Write) {
            Err(error) if error.kind() != ErrorKind::NotConnected && !is_reset(&error) => {
                Err(Fault::from(error).into())
            }
            _ => Ok(()),
        }
    }

    /// Closes in order: end of stream, then the socket. An opening is read before: with unread
    /// bytes the kernel resets the connection (RFC 9293 §3.6.1).
    pub(crate) fn close(mut self) {
        if self.opening.is_there() {
            wait::settle(&self.context, COMING_TO_REST, wait::STUCK);
            _ = self.surplus();
        }
        self.context.record.note(&self.name, EventKind::Close, &[]);
        self.leaves = Leaves::Closed;
    }

    /// Resets the connection.
    pub(crate) fn reset(mut self) {
        self.leaves = Leaves::Reset;
        self.context.record.note(&self.name, EventKind::SendReset, &[]);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if self.leaves != Leaves::Closed {
            _ = SockRef::from(&*self.stream).set_linger(Some(Duration::ZERO));
        }
        match self.leaves {
            Leaves::Sometime => self.context.activity.leave_connection(self.stream.clone()),
            Leaves::Closed | Leaves::Reset => self.context.activity.end_connection(&self.stream),
        }
    }
}
