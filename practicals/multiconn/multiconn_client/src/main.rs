//! The client with many connections: it opens them all at once and serves them in one thread.
//!
//! ```text
//! multiconn_client HOST PORT CONNECTIONS
//! ```
//!
//! Already written: the arguments, the messages, the loop, and what the one thread remembers. You
//! write `Connections::open` and the connection's `connect`, `send`, `receive` and `interest`.

use std::collections::{HashMap, VecDeque};
use std::env;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

const USAGE: &str = "usage: multiconn_client HOST PORT CONNECTIONS";

/// The messages for each connection, sent one right after the other.
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

/// Everything that the one thread remembers.
struct Connections {
    poll: Poll,
    open: HashMap<Token, Connection>,
    failed: usize,
}

/// One conversation.
struct Connection {
    number: usize,
    stream: TcpStream,
    /// The connection is open. Before that, nothing can be sent.
    connected: bool,
    /// The messages of which no byte has been sent.
    messages: VecDeque<&'static str>,
    /// The unsent rest of the current message.
    unsent: &'static [u8],
    /// How many bytes have not come back yet. An echo is as long as what was sent.
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

    /// Begins to connect, and does not wait.
    fn open(&mut self, number: usize, address: SocketAddr) {
        // Steps 4 and 5: mio's `TcpStream::connect` creates a socket and begins to connect it. It
        //                does not wait: the connection opens later, or never, and the selector
        //                reports it.
        //
        // Put a `Connection` with this stream into the table `self.open`, under `Token(number)`,
        // and register its stream with `self.poll.registry()`.
        //
        //   - The handout says which line reports a start: `say` prints it.
        //   - Any of these steps may fail: `self.give_up` counts the failure. The other connections
        //     go on.
        todo!(
            "steps 4 and 5: begin {} number {number} to {address}",
            std::any::type_name_of_val(&Connection::new)
        )
    }

    /// The only loop. In it, only the call `poll` waits.
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

    /// One connection's turn: connects, sends and receives as much as it can now. An error closes
    /// only this connection.
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

    /// Returns whether the connection is open, or an error if it has failed.
    fn connect(&self) -> io::Result<bool> {
        // mio's documentation of `TcpStream::connect` says how to find out. First call
        // `self.stream.take_error()?`: it returns the error of an attempt that has failed. Then
        // call `self.stream.peer_addr()`: it fails with `ErrorKind::NotConnected` while the attempt
        // is still under way.
        todo!("step 5: has {:?} connected?", self.stream)
    }

    /// Sends as much as the socket takes now.
    fn send(&mut self) -> io::Result<()> {
        // Step 7: send the rest of the current message, `self.unsent`. When that is empty, take the
        //         next one of `self.messages`, until there is none. Print a line with `say` when a
        //         message begins:
        //         sending "Message 1 from client." to connection 1
        //         Rust: the trait `Write`, which `self.stream` implements
        //
        //   - `write` returns how many bytes the socket has taken. Where is the rest?
        //   - `is_for_later` recognises the errors that mean: not now.
        todo!(
            "step 7: send what is left of {:?} and {:?} to connection {}; {} is no error",
            self.unsent,
            self.messages,
            self.number,
            std::any::type_name_of_val(&is_for_later)
        )
    }

    /// Receives what has arrived, and counts it.
    fn receive(&mut self) -> io::Result<()> {
        // Step 7: read what has arrived, print a line for each piece, and subtract its length from
        //         `self.missing`:
        //         received "Message 1 from" from connection 1
        //
        //   - The selector reports a change, so read until `WouldBlock`, or until nothing is
        //     missing.
        //   - A piece may end in the middle of a message. Does that matter?
        //   - A read of 0 bytes is the end of the stream. Are all bytes back at that moment?
        todo!("step 7: receive the {} missing bytes", self.missing)
    }

    /// Returns what to wait for: a reply, and writing only while there is something to send.
    fn interest(&self) -> Interest {
        // `Interest::READABLE`, `Interest::WRITABLE`, or both: `Interest::READABLE |
        // Interest::WRITABLE`.
        //
        //   - How do you find out that a connection is open?
        //   - What happens in the loop if you ask for WRITABLE after you have sent everything?
        todo!(
            "what to watch for: connected {}, {} messages to send",
            self.connected,
            self.messages.len()
        )
    }
}

/// Returns whether an error means "not now": then the selector reports when to try again.
fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Returns the first IPv4 address of HOST, which is an address or a name.
fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let mut addresses = (host, port).to_socket_addrs()?;
    addresses
        .find(SocketAddr::is_ipv4)
        .ok_or_else(|| io::Error::other("it has no IPv4 address"))
}

/// Returns HOST, PORT and CONNECTIONS, or `None` if the arguments are unusable.
fn arguments() -> Option<(String, u16, usize)> {
    let mut words = env::args_os().skip(1);
    let host = words.next()?.into_string().ok()?;
    let port = words.next()?.into_string().ok()?.parse().ok()?;
    let connections = words.next()?.into_string().ok()?.parse().ok()?;

    let is_host = !host.is_empty() && !host.starts_with('-');
    let is_all = words.next().is_none();
    (is_host && is_all).then_some((host, port, connections))
}

/// Prints a line on stdout. Unlike `println!`, it does not panic if stdout is closed.
fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints a line on stderr.
fn log(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
