//! The other end of the wire: connects or listens, sends, expects. Everything it does and sees is
//! recorded, and evidence writes itself: a check compares, the peer says what it expected and what
//! it observed.
//!
//! Real sockets with real buffers: a slow reader has a small SO_RCVBUF (RFC 9293 §3.8.6, the window
//! closes), a reset is SO_LINGER 0 (socket(7)). A peer that is dropped resets its connection, so
//! that no TIME_WAIT is left behind; one that should close in order says so.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{Domain, SockRef};

use crate::engine::bench::Bench;
use crate::engine::compare;
use crate::engine::patience::{self, GaveUp, Limits, Patience, Proof, wait_for};
use crate::engine::program::{Client, LOCALHOST, Server, describe};
use crate::engine::transcript::{What, show};
use crate::engine::verdict::{Failure, Stop};
use crate::fault::Fault;
use crate::observe::Tree;

/// How long the kernel may take to make a connection to a listening socket on this machine.
const CONNECT: Duration = Duration::from_secs(10);

/// A writer looks this often whether it should stop.
const WRITE_SLICE: Duration = Duration::from_millis(4);

/// Above this size a message is written by a thread of its own: TCP may hold less than the message.
const SMALL: usize = 32 * 1024;

/// Read at once.
const CHUNK: usize = 128 * 1024;

/// One connection, seen from the harness's side.
#[derive(Debug)]
pub(crate) struct Peer {
    name: String,
    stream: Arc<TcpStream>,
    bench: Arc<Bench>,
    tree: Tree,
    closed: bool,
}

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
    /// The connection is no more.
    pub(crate) fn is_closed(self) -> bool {
        !self.is_silence()
    }

    /// The connection is there, and nothing comes.
    pub(crate) fn is_silence(self) -> bool {
        matches!(self, Self::Silence(_))
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::EndOfStream => f.write_str("end of stream"),
            Self::Reset => f.write_str("a reset"),
            Self::Silence(gave_up) => gave_up.fmt(f),
        }
    }
}

/// What came, and why nothing more did.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// So many bytes were as expected, and are not kept.
    pub(crate) equal: usize,
    /// What came after them.
    pub(crate) bytes: Vec<u8>,
    pub(crate) ending: Option<Ending>,
}

/// What a writing thread and its reader know of each other.
#[derive(Debug, Default)]
struct Writing {
    done: AtomicBool,
    /// The last attempt took nothing.
    blocked: AtomicBool,
    stop: AtomicBool,
}

impl Server<'_> {
    /// A client connects.
    pub(crate) fn connect(&self) -> Result<Peer, Stop> {
        self.connect_with(None)
    }

    /// A client connects whose receive buffer is small: its window closes soon when it does not
    /// read.
    pub(crate) fn connect_with_small_buffer(&self) -> Result<Peer, Stop> {
        const SMALL_BUFFER: usize = 16 * 1024;
        self.connect_with(Some(SMALL_BUFFER))
    }

    fn connect_with(&self, receive_buffer: Option<usize>) -> Result<Peer, Stop> {
        let name = self.bench().next_peer();
        let socket = self
            .bench()
            .network()
            .tcp_socket(Domain::for_address(self.address))
            .map_err(Fault::from)?;
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes).map_err(Fault::from)?;
        }
        match socket.connect_timeout(&self.address.into(), CONNECT) {
            Ok(()) => {
                Peer::new(name, socket.into(), self.bench().clone(), self.tree(), What::Connect)
            }
            Err(error) => Err(self.not_connected(&name, &error)),
        }
    }

    fn not_connected(&self, name: &str, error: &io::Error) -> Stop {
        let (what, observed) = match error.kind() {
            ErrorKind::ConnectionRefused => (What::Refused, "connection refused".to_owned()),
            ErrorKind::ConnectionReset => (What::Reset, "a reset".to_owned()),
            ErrorKind::TimedOut => {
                self.bench().keep_stuck();
                (What::Timeout, format!("no connection within {} s", CONNECT.as_secs()))
            }
            _ => return Fault(format!("client {name} could not connect: {error}")).into(),
        };
        self.bench().record.note(name, what, &[]);
        self.bench().suspect_death();
        let failure =
            Failure::new(format!("client {name} to connect to {}", self.address), observed);
        Failure { peer: Some(name.to_owned()), ..failure }.into()
    }
}

impl Peer {
    fn new(
        name: String,
        stream: TcpStream,
        bench: Arc<Bench>,
        tree: Tree,
        what: What,
    ) -> Result<Self, Stop> {
        stream.set_nodelay(true).map_err(Fault::from)?;
        stream.set_write_timeout(Some(WRITE_SLICE)).map_err(Fault::from)?;
        let stream = Arc::new(stream);
        bench.keep_wire(&name, &stream);
        let ends = stream.local_addr().ok().zip(stream.peer_addr().ok());
        bench.record.note_connection(&name, what, ends);
        Ok(Self { name, stream, bench, tree, closed: false })
    }

    /// Sends a message and expects it back, nothing else meanwhile.
    pub(crate) fn exchange(&mut self, message: &[u8]) -> Result<(), Stop> {
        let received = if message.len() <= SMALL {
            self.write_or_see_reset(message)?;
            self.receive_like(message)?
        } else {
            self.writing(message, |_| self.receive_like(message))?
        };
        self.compare(message, &received)
    }

    /// Sends a message and begins to read only once its writing has come to a stop; expects all of
    /// it back.
    pub(crate) fn exchange_late(&mut self, message: &[u8]) -> Result<(), Stop> {
        self.exchange_slowly(message, |_| Ok(()))
    }

    /// The same, and `meanwhile` happens before the first byte is read.
    pub(crate) fn exchange_slowly(
        &mut self,
        message: &[u8],
        meanwhile: impl FnOnce(&Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let received = self.writing(message, |writing| {
            self.until_still(writing);
            meanwhile(self)?;
            self.receive_like(message)
        })?;
        self.compare(message, &received)
    }

    /// Sends a message, half-closes, and only then, when nothing moves any more or after `pause`,
    /// begins to read. What must be read to get the message sent is read before.
    pub(crate) fn send_and_half_close(
        &mut self,
        message: &[u8],
        pause: Duration,
    ) -> Result<Received, Stop> {
        let received = self.writing(message, |writing| {
            self.until_still(writing);
            let is_sent = || writing.done.load(Ordering::Acquire);
            if is_sent() {
                return Ok(Received::default());
            }
            self.receive_more_like(message, Received::default(), message.len(), is_sent)
        })?;
        if received.ending.is_some() || !received.bytes.is_empty() {
            return Ok(received);
        }
        self.half_close()?;
        patience::let_be(&self.bench, pause, patience::STALLED);
        let one_too_many = message.len() + 1;
        self.receive_more_like(message, received, one_too_many, || false)
    }

    /// Sends a message, and does not read. A reset shows when somebody reads.
    pub(crate) fn send(&self, message: &[u8]) -> Result<(), Stop> {
        self.write_or_see_reset(message)
    }

    fn write_or_see_reset(&self, message: &[u8]) -> Result<(), Stop> {
        let mut patience = Patience::new(&self.bench, patience::REPLY, Proof::Nothing);
        let mut rest = message;
        while !rest.is_empty() {
            match self.write_some(rest) {
                Ok(0) => {
                    if let Some(gave_up) = patience.in_vain() {
                        patience.keep_evidence();
                        self.bench.record.note(&self.name, What::Timeout, &[]);
                        return Err(self.takes_no_more(
                            message.len() - rest.len(),
                            message.len(),
                            gave_up,
                        ));
                    }
                }
                Ok(n) => {
                    patience.progress(n);
                    rest = &rest[n..];
                }
                Err(error) if is_reset(&error) => return Ok(()),
                Err(error) => return Err(Fault::from(error).into()),
            }
        }
        Ok(())
    }

    fn takes_no_more(&self, taken: usize, of: usize, gave_up: GaveUp) -> Stop {
        let expected = format!("{} to get rid of {of} bytes", self.whom());
        self.failure(expected, format!("a program that has taken {taken}, then {gave_up}"))
    }

    /// Writes what fits now; 0 where nothing did for a moment.
    fn write_some(&self, bytes: &[u8]) -> io::Result<usize> {
        match (&*self.stream).write(&bytes[..bytes.len().min(CHUNK)]) {
            Ok(n) => {
                self.bench.record.note(&self.name, What::Send, &bytes[..n]);
                Ok(n)
            }
            Err(error) if is_timeout(&error) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Holds when all of `expected` came and nothing else. Where it did not, the program may just
    /// have died.
    fn compare(&self, expected: &[u8], received: &Received) -> Result<(), Stop> {
        compare::same(expected, received, &self.whom()).map_err(|stop| {
            self.bench.suspect_death();
            match stop {
                Stop::Failed(failure) => {
                    Failure { peer: Some(self.name.clone()), ..failure }.into()
                }
                other => other,
            }
        })
    }

    /// A failure that is about this peer. The program may just have died.
    fn failure(&self, expected: String, observed: String) -> Stop {
        self.bench.suspect_death();
        Failure { peer: Some(self.name.clone()), ..Failure::new(expected, observed) }.into()
    }

    /// How a failure calls this peer.
    fn whom(&self) -> String {
        format!("client {}", self.name)
    }

    /// Whether a byte comes, whichever.
    pub(crate) fn is_answered(&self) -> Result<bool, Stop> {
        Ok(!self.receive(1, patience::REPLY)?.bytes.is_empty())
    }

    /// Whether the program is seen to hold its end of this connection; one that waits to be
    /// accepted is nobody's yet.
    pub(crate) fn is_accepted(&self) -> bool {
        self.stream.local_addr().is_ok_and(|here| self.tree.unread_from(here).is_some())
    }

    /// How many bytes the program asks for in the read in which it waits for this peer, once
    /// nothing in it can move.
    pub(crate) fn asked_for(&self) -> Option<usize> {
        patience::let_be(&self.bench, STALL.waiting, patience::STUCK);
        self.tree.read_size()
    }

    /// Expects exactly these bytes next.
    pub(crate) fn expect(&mut self, expected: &[u8]) -> Result<(), Stop> {
        let received = self.receive(expected.len(), patience::REPLY)?;
        self.compare(expected, &received)
    }

    /// Reads until these bytes are there, whatever stands before them.
    pub(crate) fn receive_among_others(&mut self, expected: &[u8]) -> Result<Received, Stop> {
        const MOST: usize = 64 * 1024;
        let found = |bytes: &[u8]| bytes.windows(expected.len()).any(|window| window == expected);
        let received = self.receive_until(MOST, patience::REPLY, found)?;
        if found(&received.bytes) {
            return Ok(received);
        }
        self.compare(expected, &received)?;
        Ok(received)
    }

    /// Ends this side, and expects that nothing comes any more: the echo is complete, so this only
    /// ends the wait.
    pub(crate) fn expect_nothing_more(&mut self) -> Result<(), Stop> {
        self.half_close()?;
        let more = self.receive(1024, patience::SILENCE)?.bytes;
        if more.is_empty() {
            return Ok(());
        }
        let expected = format!("no byte for {} after the echo", self.whom());
        Err(self.failure(expected, format!("{} byte(s) more: {}", more.len(), show(&more, 32))))
    }

    /// What comes until nothing in the program can move, or for `at_most`.
    pub(crate) fn whatever_comes(&mut self, at_most: Duration) -> Result<Vec<u8>, Stop> {
        patience::let_be(&self.bench, at_most, patience::STUCK);
        let mut buffer = [0; 4096];
        match self.read_some(&mut buffer, Duration::from_millis(1))? {
            Read1::Bytes(count) => Ok(self.received(&buffer[..count])),
            Read1::Ended(_) | Read1::Nothing => Ok(Vec::new()),
        }
    }

    /// Some of what has come for this peer and was not read, if anything has.
    pub(crate) fn surplus(&self) -> Option<Vec<u8>> {
        let mut buffer = [0; 4096];
        match self.read_some(&mut buffer, Duration::from_millis(1)) {
            Ok(Read1::Bytes(count)) => Some(self.received(&buffer[..count])),
            _ => None,
        }
    }

    /// Bytes that are noted, and kept.
    fn received(&self, bytes: &[u8]) -> Vec<u8> {
        self.bench.record.note(&self.name, What::Receive, bytes);
        bytes.to_vec()
    }

    pub(crate) fn bench(&self) -> &Arc<Bench> {
        &self.bench
    }

    /// Expects the end of the stream next.
    pub(crate) fn expect_end(&mut self, limits: Limits) -> Result<(), Stop> {
        let received = self.receive(1, limits)?;
        match received.ending {
            Some(Ending::EndOfStream) => Ok(()),
            ending => Err(self.failure(
                format!("end of stream for {}", self.whom()),
                ending.map_or_else(
                    || format!("more bytes: {}", show(&received.bytes, 32)),
                    |ending| ending.to_string(),
                ),
            )),
        }
    }

    /// Writes `message` while `reading` reads.
    fn writing<T>(
        &self,
        message: &[u8],
        reading: impl FnOnce(&Writing) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let writing = Writing::default();
        std::thread::scope(|scope| {
            let at_work = self.bench.writer();
            let writer = scope.spawn(|| {
                let _at_work = at_work;
                let written = self.write_until(message, &writing);
                writing.done.store(true, Ordering::Release);
                written
            });
            let read = reading(&writing);
            writing.stop.store(true, Ordering::Release);
            match writer.join() {
                Ok(Err(error)) if !is_reset(&error) => Err(Fault::from(error).into()),
                Ok(_) => read,
                Err(_) => Err(Fault("a writing thread panicked".to_owned()).into()),
            }
        })
    }

    /// Waits until a writer gets no further: everything is sent, or the program and its buffers
    /// hold all they will.
    fn until_still(&self, writing: &Writing) {
        _ = wait_for(Patience::new(&self.bench, STALL, Proof::Nothing), |slice| {
            std::thread::sleep(slice); // a stall is the absence of events: there is nothing to be woken by
            let at_rest =
                writing.done.load(Ordering::Acquire) || writing.blocked.load(Ordering::Acquire);
            (at_rest && patience::let_be(&self.bench, STILL, patience::STALLED)).then_some(())
        });
    }

    /// Reads until `want` bytes are there.
    pub(crate) fn receive(&self, want: usize, limits: Limits) -> Result<Received, Stop> {
        self.receive_until(want, limits, |_| false)
    }

    /// Reads until `want` bytes are there, or until those that are there are enough.
    fn receive_until(
        &self,
        want: usize,
        limits: Limits,
        enough: impl Fn(&[u8]) -> bool,
    ) -> Result<Received, Stop> {
        let mut bytes = Vec::new();
        let ending = self.read_until(want, limits, |chunk| {
            bytes.extend_from_slice(chunk);
            Taken { enough: enough(&bytes), known: None }
        })?;
        Ok(Received { equal: 0, bytes, ending })
    }

    /// Reads as many bytes as `expected` has, or fewer where one differs.
    fn receive_like(&self, expected: &[u8]) -> Result<Received, Stop> {
        self.receive_more_like(expected, Received::default(), expected.len(), || false)
    }

    /// Reads on until `most` bytes have come in all, one differs from `expected`, or somebody says
    /// stop.
    fn receive_more_like(
        &self,
        expected: &[u8],
        mut so_far: Received,
        most: usize,
        stop: impl Fn() -> bool,
    ) -> Result<Received, Stop> {
        let want = most - so_far.equal - so_far.bytes.len();
        so_far.ending = self.read_until(want, patience::REPLY, |chunk| {
            let known = expected
                .get(so_far.equal..so_far.equal + chunk.len())
                .filter(|known| *known == chunk);
            match known {
                Some(known) => so_far.equal += known.len(),
                None => so_far.bytes.extend_from_slice(chunk),
            }
            Taken { enough: known.is_none() || stop(), known }
        })?;
        Ok(so_far)
    }

    /// Reads until `want` bytes were taken, one of the chunks was enough, or nothing more comes;
    /// why nothing more came.
    fn read_until<'known>(
        &self,
        want: usize,
        limits: Limits,
        mut take: impl FnMut(&[u8]) -> Taken<'known>,
    ) -> Result<Option<Ending>, Stop> {
        let mut patience = Patience::new(&self.bench, limits, patience::STUCK);
        let mut buffer = vec![0; want.min(CHUNK)];
        let mut last_look = None;
        let mut taken = 0;
        while taken < want {
            let slice =
                if last_look.is_some() { Duration::from_millis(1) } else { patience.slice() };
            let most = buffer.len().min(want - taken);
            match self.read_some(&mut buffer[..most], slice)? {
                Read1::Bytes(count) => {
                    patience.progress(count);
                    last_look = None;
                    taken += count;
                    let taken = take(&buffer[..count]);
                    self.bench.record.note(
                        &self.name,
                        What::Receive,
                        taken.known.unwrap_or(&buffer[..count]),
                    );
                    if taken.enough {
                        break;
                    }
                }
                Read1::Ended(ending) => return Ok(Some(ending)),
                Read1::Nothing => match last_look {
                    Some(gave_up) => {
                        patience.keep_evidence();
                        self.bench.record.note(&self.name, What::Timeout, &[]);
                        return Ok(Some(Ending::Silence(gave_up)));
                    }
                    None => last_look = patience.in_vain(),
                },
            }
        }
        Ok(None)
    }

    /// One read: waits for at most `slice`. What came is the caller's to record.
    fn read_some(&self, buffer: &mut [u8], slice: Duration) -> Result<Read1, Stop> {
        acknowledge_at_once(&self.stream);
        if !readable(&self.stream, slice).map_err(Fault::from)? {
            return Ok(Read1::Nothing);
        }
        match (&*self.stream).read(buffer) {
            Ok(0) => {
                self.bench.record.note(&self.name, What::End, &[]);
                Ok(Read1::Ended(Ending::EndOfStream))
            }
            Ok(n) => Ok(Read1::Bytes(n)),
            Err(error) if is_timeout(&error) => Ok(Read1::Nothing),
            Err(error) if is_reset(&error) => {
                self.bench.record.note(&self.name, What::Reset, &[]);
                Ok(Read1::Ended(Ending::Reset))
            }
            Err(error) => Err(Fault::from(error).into()),
        }
    }

    /// Writes until everything is sent, somebody says stop, or the connection breaks. Whoever reads
    /// beside it says stop in time.
    fn write_until(&self, message: &[u8], writing: &Writing) -> io::Result<()> {
        let mut rest = message;
        while !rest.is_empty() && !writing.stop.load(Ordering::Acquire) {
            let written = self.write_some(rest)?;
            writing.blocked.store(written == 0, Ordering::Release);
            rest = &rest[written..];
        }
        Ok(())
    }

    /// Writes as much as the program and the buffers between take without anything being read.
    pub(crate) fn send_what_fits(&self, message: &[u8]) -> Result<(), Stop> {
        self.writing(message, |writing| {
            self.until_still(writing);
            Ok(())
        })
    }

    /// Sends `message` again and again, so often at most, and reads nothing: until the program
    /// takes no more, or until `enough` of what has gone out. How much that was.
    pub(crate) fn flood(
        &self,
        message: &[u8],
        times: usize,
        mut enough: impl FnMut(usize) -> bool,
    ) -> Result<usize, Stop> {
        let most = message.len() * times;
        let mut patience = Patience::new(&self.bench, patience::TAKING, patience::STALLED);
        let mut sent = 0;
        while sent < most && !enough(sent) {
            match self.write_some(&message[sent % message.len()..]) {
                Ok(0) if patience.in_vain().is_some() => break,
                Ok(0) => {}
                Ok(n) => {
                    patience.progress(n);
                    sent += n;
                }
                Err(error) if is_reset(&error) => {
                    let expected = format!(
                        "a connection for {} that lasts, though it does not read",
                        self.whom()
                    );
                    return Err(self.cut_off(expected, sent));
                }
                Err(error) => return Err(Fault::from(error).into()),
            }
        }
        Ok(sent)
    }

    /// Sends a message piece by piece, each when the program has taken the one before; it must not
    /// close before it has them all.
    pub(crate) fn send_pieces<'a>(
        &self,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), Stop> {
        let mut sent = 0;
        for piece in pieces {
            match (&*self.stream).write_all(piece) {
                Ok(()) => self.bench.record.note(&self.name, What::Send, piece),
                Err(error) if is_reset(&error) => {
                    return Err(self.cut_off(
                        format!("a program that takes all that is sent by {}", self.whom()),
                        sent,
                    ));
                }
                Err(error) => return Err(Fault::from(error).into()),
            }
            sent += piece.len();
            self.until_taken()?;
        }
        Ok(())
    }

    fn cut_off(&self, expected: String, sent: usize) -> Stop {
        self.bench.record.note(&self.name, What::Reset, &[]);
        self.bench.suspect_death();
        Failure::new(expected, format!("a connection that was closed after {sent} bytes")).into()
    }

    /// How the stream has ended, if it does so within this time; no byte may come before.
    pub(crate) fn ended(&self, within: Duration) -> Result<Option<Ending>, Stop> {
        let mut buffer = [0; 256];
        match self.read_some(&mut buffer, within)? {
            Read1::Ended(ending) => Ok(Some(ending)),
            Read1::Nothing => Ok(None),
            Read1::Bytes(n) => {
                Err(Failure::new(format!("no byte for {}", self.whom()), show(&buffer[..n], 40))
                    .into())
            }
        }
    }

    /// Waits until the program has taken what was sent from its receive buffer; where the system
    /// does not show that, it pauses.
    pub(crate) fn until_taken(&self) -> Result<(), Stop> {
        const AT_MOST: Duration = Duration::from_secs(2);
        const PAUSE: Duration = Duration::from_millis(30);
        let here = self.stream.local_addr().map_err(Fault::from)?;
        if self.tree.unread_from(here).is_none() {
            std::thread::sleep(PAUSE);
            return Ok(());
        }
        _ = wait_for(
            Patience::new(&self.bench, Limits::at_most(AT_MOST), Proof::Nothing),
            |slice| {
                std::thread::sleep(slice.min(Duration::from_millis(1))); // a queue gives no notice of being read
                self.is_taken().then_some(())
            },
        );
        Ok(())
    }

    /// The program has taken what was sent, as far as the system shows that.
    pub(crate) fn is_taken(&self) -> bool {
        let unread = || self.stream.local_addr().ok().and_then(|here| self.tree.unread_from(here));
        self.has_arrived() && unread().is_none_or(|unread| unread == 0)
    }

    /// What was sent is in the program's receive buffer, or further.
    fn has_arrived(&self) -> bool {
        #[cfg(unix)]
        return crate::observe::is_still(&self.stream, crate::observe::Wires::Empty);
        #[cfg(not(unix))]
        true
    }

    /// Ends this side of the stream; the other side may still send.
    pub(crate) fn half_close(&self) -> Result<(), Stop> {
        self.bench.record.note(&self.name, What::HalfClose, &[]);
        match self.stream.shutdown(Shutdown::Write) {
            Err(error) if error.kind() != ErrorKind::NotConnected && !is_reset(&error) => {
                Err(Fault::from(error).into())
            }
            _ => Ok(()),
        }
    }

    /// Closes in order: end of stream, then the socket.
    pub(crate) fn close(mut self) {
        self.bench.record.note(&self.name, What::Close, &[]);
        self.closed = true;
    }

    /// Resets the connection.
    pub(crate) fn reset(self) {
        self.bench.record.note(&self.name, What::SendReset, &[]);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.bench.leave_wire(&self.stream);
        if !self.closed {
            _ = SockRef::from(&*self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

/// What was made of bytes that came.
struct Taken<'known> {
    /// No more are wanted.
    enough: bool,
    /// The same bytes where the harness has them already, to be recorded without a copy.
    known: Option<&'known [u8]>,
}

enum Read1 {
    Bytes(usize),
    Ended(Ending),
    Nothing,
}

/// A server that leaves Nagle's algorithm on and writes a reply in pieces would wait for the
/// harness's delayed acknowledgements, 40 ms each (tcp(7), TCP_QUICKACK; it does not last, so it is
/// said before each read).
#[cfg(target_os = "linux")]
fn acknowledge_at_once(stream: &TcpStream) {
    _ = SockRef::from(stream).set_tcp_quickack(true);
}

#[cfg(not(target_os = "linux"))]
fn acknowledge_at_once(_stream: &TcpStream) {}

/// Waits for something to read, or for the end; elsewhere than on Unix the read itself waits.
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

/// How long a writer must stand still to be called blocked, where nothing proves it.
const STALL: Limits = Limits::at_most(Duration::from_millis(300));

/// For one proof that nothing moves.
const STILL: Duration = Duration::from_millis(20);

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

fn is_reset(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted
    )
}

/// The harness as a server, for a client under test.
#[derive(Debug)]
pub(crate) struct Host {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
    bench: Arc<Bench>,
}

impl Host {
    /// Listens on a free port of 127.0.0.1.
    pub(crate) fn listen(bench: &Arc<Bench>) -> Result<Self, Stop> {
        let listener =
            bench.network().listen(SocketAddr::from((LOCALHOST, 0))).map_err(Fault::from)?;
        listener.set_nonblocking(true).map_err(Fault::from)?;
        let address = listener.local_addr().map_err(Fault::from)?;
        bench.keep_server(address);
        Ok(Self { listener, address, bench: bench.clone() })
    }

    /// Waits for the client's connection.
    pub(crate) fn accept(&self, client: &mut Client) -> Result<Peer, Stop> {
        let tree = client.tree();
        let mut fault = None;
        let came =
            wait_for(Patience::new(&self.bench, patience::STARTING, patience::STUCK), |slice| {
                match self.take_one() {
                    Ok(Some(stream)) => Some(Ok(stream)),
                    Ok(None) => match client.exited(slice.min(Duration::from_millis(2))) {
                        // It may have connected, said all it had to say, and gone.
                        Ok(Some(status)) => {
                            Some(self.take_one().ok().flatten().ok_or_else(|| describe(status)))
                        }
                        Ok(None) => None,
                        Err(stop) => {
                            fault = Some(stop);
                            Some(Err(String::new()))
                        }
                    },
                    Err(error) => {
                        fault = Some(Fault::from(error).into());
                        Some(Err(String::new()))
                    }
                }
            });
        match (fault, came) {
            (Some(fault), _) => Err(fault),
            (None, Ok(Ok(stream))) => {
                stream.set_nonblocking(false).map_err(Fault::from)?;
                Peer::new(self.bench.next_peer(), stream, self.bench.clone(), tree, What::Accept)
            }
            (None, Ok(Err(status))) => {
                Err(self.no_client(&format!("it ended with {status} without connecting")))
            }
            (None, Err(GaveUp::Stuck)) => {
                Err(self.no_client("no connection: the client waits, and nothing can wake it"))
            }
            (None, Err(_)) => Err(self.no_client("no connection")),
        }
    }

    /// The connection of a client that has gone already, if it made one.
    pub(crate) fn accept_waiting(&self, client: Tree) -> Result<Option<Peer>, Stop> {
        let Some(stream) = self.take_one().map_err(Fault::from)? else { return Ok(None) };
        stream.set_nonblocking(false).map_err(Fault::from)?;
        Peer::new(self.bench.next_peer(), stream, self.bench.clone(), client, What::Connect)
            .map(Some)
    }

    fn take_one(&self) -> io::Result<Option<TcpStream>> {
        match self.listener.accept() {
            Ok((stream, _)) => Ok(Some(stream)),
            Err(error) if is_timeout(&error) || is_reset(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn no_client(&self, observed: &str) -> Stop {
        Failure::new(format!("the client to connect to {}", self.address), observed.to_owned())
            .into()
    }
}
