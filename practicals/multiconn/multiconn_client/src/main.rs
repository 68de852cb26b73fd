//! The client with many connections: it opens them all at once and serves them in one thread.
//!
//! ```text
//! multiconn_client HOST PORT CONNECTIONS
//! ```
//!
//! Given whole: the arguments, the messages, the loop, and what the one thread keeps in mind. Yours:
//! `Connections::open` and the connection's `connect`, `send`, `receive` and `interest`.

use std::collections::{HashMap, VecDeque};
use std::env;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

const USAGE: &str = "usage: multiconn_client HOST PORT CONNECTIONS";

/// What goes over each connection, one right after the other.
const MESSAGES: [&str; 2] = ["Message 1 from client.", "Message 2 from client."];

fn main() -> ExitCode {
    let Some((host, port, connections)) = arguments() else {
        log(USAGE);
        return ExitCode::from(2);
    };
    match run(&host, port, connections) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            log(message);
            ExitCode::FAILURE
        }
    }
}

fn run(host: &str, port: u16, count: usize) -> Result<(), String> {
    let address =
        resolve(host, port).map_err(|error| format!("cannot find the host {host}: {error}"))?;
    let mut connections =
        Connections::new().map_err(|error| format!("there is no selector: {error}"))?;
    for number in 1..=count {
        connections.open(number, address);
    }
    connections
        .serve()
        .map_err(|error| format!("cannot wait for replies any more: {error}"))?;
    match connections.failed {
        0 => Ok(()),
        failed => Err(format!("{failed} of {count} connections failed")),
    }
}

/// Everything that the one thread keeps in mind.
struct Connections {
    poll: Poll,
    open: HashMap<Token, Connection>,
    failed: usize,
}

/// One conversation.
struct Connection {
    number: usize,
    stream: TcpStream,
    /// Until then nothing can be sent.
    connected: bool,
    /// Messages of which no byte has been sent.
    messages: VecDeque<&'static str>,
    /// The rest of the message that is being sent.
    unsent: &'static [u8],
    /// An echo is as long as what was sent: so many bytes are still to come.
    missing: usize,
}

impl Connections {
    fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            open: HashMap::new(),
            failed: 0,
        })
    }

    /// Begins to connect, and does not wait for it.
    fn open(&mut self, number: usize, address: SocketAddr) {
        // Steps 4 and 5: mio's `TcpStream::connect` creates a socket and begins to connect it. It does
        //                not wait: the connection comes about later, or never, and the selector tells.
        //
        // A `Connection` with this stream goes into the table `self.open`, under the token
        // `Token(number)`, and its stream into the care of `self.poll.registry()`.
        //
        //   - The handout says which line tells of a start: `say` prints it.
        //   - Any of these steps may fail: `self.give_up` counts it. The others go on.
        todo!(
            "steps 4 and 5: begin {} number {number} to {address}",
            std::any::type_name_of_val(&Connection::new)
        )
    }

    /// The only loop, and the only call in it that waits is `poll`.
    fn serve(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(256);
        while !self.open.is_empty() {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &events {
                self.take_turn(event.token());
            }
        }
        Ok(())
    }

    /// One connection's turn: it connects, sends and receives as far as it can now. Whatever goes
    /// wrong is that connection's affair: it is closed, and the others go on.
    fn take_turn(&mut self, token: Token) {
        let Some(connection) = self.open.get_mut(&token) else {
            return;
        };
        let registry = self.poll.registry();
        let turn = connection.go_on().and_then(|()| {
            let interest = connection.interest();
            registry.reregister(&mut connection.stream, token, interest)
        });
        let number = connection.number;
        match turn {
            Ok(()) if connection.missing > 0 => return,
            Ok(()) => say(format_args!("closing connection {number}")),
            Err(error) => self.give_up(number, &error),
        }
        self.open.remove(&token); // dropped, and so closed
    }

    fn give_up(&mut self, number: usize, error: &io::Error) {
        log(format_args!("connection {number} failed: {error}"));
        self.failed += 1;
    }
}

impl Connection {
    fn new(number: usize, stream: TcpStream) -> Self {
        Self {
            number,
            stream,
            connected: false,
            messages: MESSAGES.into(),
            unsent: &[],
            missing: MESSAGES.iter().map(|message| message.len()).sum(),
        }
    }

    fn go_on(&mut self) -> io::Result<()> {
        if !self.connected {
            self.connected = self.connect()?;
        }
        if self.connected {
            self.send()?;
            self.receive()?;
        }
        Ok(())
    }

    /// Whether the connection has come about; an error where it never will.
    fn connect(&self) -> io::Result<bool> {
        // mio's documentation of `TcpStream::connect` says how to learn what became of it: first
        // `self.stream.take_error()?`, which holds the error of an attempt that has failed; then
        // `self.stream.peer_addr()`, which fails with `ErrorKind::NotConnected` while it is under
        // way.
        todo!("step 5: has {:?} connected?", self.stream)
    }

    /// Sends as much as the socket takes now.
    fn send(&mut self) -> io::Result<()> {
        // Step 7: when all of a message was sent, so that `self.unsent` is empty, the next one of
        //         `self.messages` comes, until there is none. `say` tells of each when it begins:
        //         sending "Message 1 from client." to connection 1
        //         Rust: the trait `Write`, which `self.stream` implements
        //
        //   - `write` returns how many bytes the socket has taken. Where is the rest?
        //   - `is_for_later` knows the errors that mean: not now.
        todo!(
            "step 7: send what is left of {:?} and {:?} to connection {}; {} is no error",
            self.unsent,
            self.messages,
            self.number,
            std::any::type_name_of_val(&is_for_later)
        )
    }

    /// Receives what is there, and counts it.
    fn receive(&mut self) -> io::Result<()> {
        // Step 7: reads what is there, tells of each piece and counts it off `self.missing`:
        //         received "Message 1 from" from connection 1
        //
        //   - The selector tells of a change, so read on until `WouldBlock`, or until nothing is missing.
        //   - A piece may end in the middle of a message. Does that matter?
        //   - A read of 0 bytes is the end of the stream. Can you be here when nothing is missing?
        todo!("step 7: receive the {} missing bytes", self.missing)
    }

    /// What is worth waking up for: a reply, and writing only while something is to be sent.
    fn interest(&self) -> Interest {
        // `Interest::READABLE`, `Interest::WRITABLE`, or both: `Interest::READABLE |
        // Interest::WRITABLE`.
        //
        //   - How do you learn that a connection has come about?
        //   - What happens in the loop if you ask for writability when all is sent?
        todo!(
            "what to watch for: connected {}, {} messages to send",
            self.connected,
            self.messages.len()
        )
    }
}

/// Not now: the selector will say when.
fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// HOST is an IPv4 address or a name; a name may have other addresses besides.
fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let mut addresses = (host, port).to_socket_addrs()?;
    addresses
        .find(SocketAddr::is_ipv4)
        .ok_or_else(|| io::Error::other("it has no IPv4 address"))
}

/// HOST, PORT and CONNECTIONS, or nothing where the words on the command line are none.
fn arguments() -> Option<(String, u16, usize)> {
    let mut words = env::args_os().skip(1);
    let host = words.next()?.into_string().ok()?;
    let port = words.next()?.into_string().ok()?.parse().ok()?;
    let connections = words.next()?.into_string().ok()?.parse().ok()?;

    let is_host = !host.is_empty() && !host.starts_with('-');
    let is_all = words.next().is_none();
    (is_host && is_all).then_some((host, port, connections))
}

/// A line on stdout. That nobody reads it any more is no reason to stop: `println!` would panic.
fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// A line on stderr.
fn log(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
