//! Connects clients to a server under test.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket};

use super::Peer;
use crate::engine::program::Server;
use crate::engine::transcript::EventKind;
use crate::engine::verdict::{Failure, Stop};
use crate::fault::Fault;

/// How long the kernel may take to make a connection to a listening socket on this machine.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a server may take from bind to listen, where the system does not show that it listens.
const FROM_BIND_TO_LISTEN: Duration = Duration::from_secs(2);

impl Server {
    /// Connects a client.
    pub(crate) fn connect(&self) -> Result<Peer, Stop> {
        self.connect_with(None)
    }

    /// Connects a client whose receive buffer is small: its window closes soon when it does not
    /// read.
    pub(crate) fn connect_with_small_buffer(&self) -> Result<Peer, Stop> {
        const SMALL_BUFFER: usize = 16 * 1024;
        self.connect_with(Some(SMALL_BUFFER))
    }

    fn connect_with(&self, receive_buffer: Option<usize>) -> Result<Peer, Stop> {
        let context = self.context();
        let name = context.record.next_peer();
        match self.try_until_it_listens(receive_buffer)? {
            Ok(socket) => {
                let (tree, kind) = (self.tree(), EventKind::Connect);
                Ok(Peer::new(name, socket.into(), context, tree, kind)?.after(self.opening()))
            }
            Err(error) => Err(self.not_connected(&name, &error)),
        }
    }

    /// Lets the first client try again when it is refused, where the system does not show who
    /// listens: there a server is found because its address is taken, which may be too early. No
    /// server notices a client that is refused.
    fn try_until_it_listens(&self, buffer: Option<usize>) -> Result<io::Result<Socket>, Fault> {
        let mut last_try = None;
        loop {
            let outcome = self.try_to_connect(buffer)?;
            let error = outcome.as_ref().err().map(io::Error::kind);
            let mut is_last = || Instant::now() > *last_try.get_or_insert(listens_by());
            if error != Some(ErrorKind::ConnectionRefused) || !self.may_listen_soon() || is_last() {
                return Ok(outcome.inspect(|_| self.note_connected()));
            }
            std::thread::sleep(Duration::from_millis(5)); // another process's listen gives no notice
        }
    }

    fn try_to_connect(&self, buffer: Option<usize>) -> io::Result<io::Result<Socket>> {
        let domain = Domain::for_address(self.address);
        let socket = self.context().place.network().tcp_socket(domain)?;
        if let Some(bytes) = buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        Ok(socket.connect_timeout(&self.address.into(), CONNECT).map(|()| socket))
    }

    fn not_connected(&self, name: &str, error: &io::Error) -> Stop {
        let context = self.context();
        let (kind, observed, snapshot) = match error.kind() {
            ErrorKind::ConnectionRefused => {
                (EventKind::Refused, "connection refused".to_owned(), None)
            }
            ErrorKind::ConnectionReset => (EventKind::Reset, "a reset".to_owned(), None),
            ErrorKind::TimedOut => {
                let observed = format!("no connection within {} s", CONNECT.as_secs());
                (EventKind::Timeout, observed, context.snapshot())
            }
            // Only the programs of this check have ports of a private network.
            ErrorKind::AddrNotAvailable if context.place.network().is_private() => {
                (EventKind::Refused, "no free port: your program uses all of them".to_owned(), None)
            }
            _ => return Fault(format!("client {name} could not connect: {error}")).into(),
        };
        context.record.note(name, kind, &[]);
        let expected = format!("client {name} to connect to {}", self.address);
        let failure = Failure::new(expected, observed).at(snapshot).maybe_of_a_death();
        Failure { peer: Some(name.to_owned()), ..failure }.into()
    }
}

fn listens_by() -> Instant {
    Instant::now() + FROM_BIND_TO_LISTEN
}
