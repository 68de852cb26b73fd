//! A correct client, as a trait of steps.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Registry, Token};

use crate::is_for_later;

pub const MESSAGES: [&str; 2] = ["Message 1 from client.", "Message 2 from client."];
pub const USAGE: &str = "usage: multiconn_client HOST PORT CONNECTIONS";

/// One conversation.
pub struct Connection {
    pub number: usize,
    pub stream: TcpStream,
    pub connected: bool,
    pub messages: VecDeque<Vec<u8>>,
    pub unsent: Vec<u8>,
    pub received: usize,
    /// The length of the reply.
    pub expected: usize,
}

/// The steps of a client. Each default is correct.
pub trait Client {
    /// Returns the messages for one connection.
    fn messages(&self) -> Vec<Vec<u8>> {
        MESSAGES
            .iter()
            .map(|message| message.as_bytes().to_vec())
            .collect()
    }

    /// Returns how many bytes one call sends or receives at most.
    fn at_once(&self) -> usize {
        1024
    }

    /// Returns whether the next message may be sent.
    fn may_send_next(&self, _connection: &Connection) -> bool {
        true
    }

    /// Returns whether the reply is whole.
    fn is_whole(&self, connection: &Connection) -> bool {
        connection.received >= connection.expected
    }

    /// Returns the connections to serve after the selector has reported these.
    fn turns(&self, ready: Vec<Token>, _open: &BTreeMap<Token, Connection>) -> Vec<Token> {
        ready
    }

    /// Called when all messages are sent.
    fn all_sent(&self, _connection: &Connection) -> io::Result<()> {
        Ok(())
    }

    fn say(&self, line: String) {
        let _ = writeln!(io::stdout(), "{line}");
    }

    fn log(&self, line: &dyn Display) {
        let _ = writeln!(io::stderr(), "{line}");
    }

    fn usage(&self) -> ExitCode {
        eprintln!("{USAGE}");
        ExitCode::from(2)
    }

    /// Ends the program; `failed` connections have failed.
    fn end(&self, failed: usize) -> ExitCode {
        match failed {
            0 => ExitCode::SUCCESS,
            failed => {
                eprintln!("{failed} connections failed");
                ExitCode::FAILURE
            }
        }
    }
}

/// Runs the program.
pub fn main(client: impl Client) -> ExitCode {
    let Some((address, count)) = arguments() else {
        return client.usage();
    };
    match run(&client, address, count) {
        Ok(failed) => client.end(failed),
        Err(error) => {
            eprintln!("cannot wait for replies: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(client: &impl Client, address: SocketAddr, count: usize) -> io::Result<usize> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(256);
    let mut open = begin_all(client, poll.registry(), address, count);
    let mut failed = count - open.len();
    while !open.is_empty() {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let ready = events.iter().map(|event| event.token()).collect();
        for token in client.turns(ready, &open) {
            let Some(connection) = open.get_mut(&token) else {
                continue;
            };
            let turn = take_turn(client, connection).and_then(|()| {
                let interest = wanted(client, connection);
                poll.registry()
                    .reregister(&mut connection.stream, token, interest)
            });
            let number = connection.number;
            match turn {
                Ok(()) if !client.is_whole(connection) => continue,
                Ok(()) => client.say(format!("closing connection {number}")),
                Err(error) => {
                    client.log(&format_args!("connection {number} failed: {error}"));
                    failed += 1;
                }
            }
            open.remove(&token);
        }
    }
    Ok(failed)
}

/// Returns the connections that could be begun.
fn begin_all(
    client: &impl Client,
    registry: &Registry,
    address: SocketAddr,
    count: usize,
) -> BTreeMap<Token, Connection> {
    let mut open = BTreeMap::new();
    for number in 1..=count {
        client.say(format!("starting connection {number} to {address}"));
        let both = Interest::READABLE | Interest::WRITABLE;
        let begun = begin(client, number, address).and_then(|mut connection| {
            registry.register(&mut connection.stream, Token(number), both)?;
            Ok(connection)
        });
        match begun {
            Ok(connection) => drop(open.insert(Token(number), connection)),
            Err(error) => client.log(&format_args!("connection {number} failed: {error}")),
        }
    }
    open
}

/// Asks for writability while it connects, and while there is something to send.
fn wanted(client: &impl Client, connection: &Connection) -> Interest {
    let sent = connection.unsent.is_empty()
        && (connection.messages.is_empty() || !client.may_send_next(connection));
    match connection.connected && sent {
        true => Interest::READABLE,
        false => Interest::READABLE | Interest::WRITABLE,
    }
}

fn begin(client: &impl Client, number: usize, address: SocketAddr) -> io::Result<Connection> {
    let messages: VecDeque<Vec<u8>> = client.messages().into();
    Ok(Connection {
        number,
        stream: TcpStream::connect(address)?,
        connected: false,
        unsent: Vec::new(),
        received: 0,
        expected: MESSAGES.concat().len(),
        messages,
    })
}

fn take_turn(client: &impl Client, connection: &mut Connection) -> io::Result<()> {
    if !connection.connected {
        if let Some(error) = connection.stream.take_error()? {
            return Err(error);
        }
        match connection.stream.peer_addr() {
            Ok(_) => connection.connected = true,
            Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    send(client, connection)?;
    receive(client, connection)?;
    send(client, connection)
}

fn send(client: &impl Client, connection: &mut Connection) -> io::Result<()> {
    loop {
        if connection.unsent.is_empty() {
            if !client.may_send_next(connection) {
                return Ok(());
            }
            let Some(message) = connection.messages.pop_front() else {
                return Ok(());
            };
            let text = String::from_utf8_lossy(&message);
            client.say(format!(
                "sending {text:?} to connection {}",
                connection.number
            ));
            connection.unsent = message;
        }
        let most = connection.unsent.len().min(client.at_once());
        match connection.stream.write(&connection.unsent[..most]) {
            Ok(count) => drop(connection.unsent.drain(..count)),
            Err(error) if is_for_later(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
        if connection.unsent.is_empty() && connection.messages.is_empty() {
            client.all_sent(connection)?;
        }
    }
}

fn receive(client: &impl Client, connection: &mut Connection) -> io::Result<()> {
    let mut buffer = vec![0; client.at_once()];
    while !client.is_whole(connection) {
        match connection.stream.read(&mut buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                let text = String::from_utf8_lossy(&buffer[..count]);
                client.say(format!(
                    "received {text:?} from connection {}",
                    connection.number
                ));
                connection.received += count;
            }
            Err(error) if is_for_later(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Returns the address and CONNECTIONS, or `None` if the arguments are unusable.
pub fn arguments() -> Option<(SocketAddr, usize)> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, connections] = words.as_slice() else {
        return None;
    };
    let address = SocketAddr::new(host.parse().ok()?, port.parse().ok()?);
    Some((address, connections.parse().ok()?))
}
