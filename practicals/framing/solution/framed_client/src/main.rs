//! The client for framed messages: it sends each of its messages and prints each reply.
//!
//! ```text
//! framed_client HOST PORT [MESSAGE]...          without MESSAGE: each line from stdin
//! ```
//!
//! The reference solution. Students write `check` and `exchange`; the rest is the same as in the
//! skeleton.

use std::env;
use std::fmt::Display;
use std::io::{self, BufRead, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::process::ExitCode;

const USAGE: &str =
    "usage: framed_client HOST PORT [MESSAGE]...    without MESSAGE: lines from stdin";

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        complain(USAGE);
        return ExitCode::from(2);
    };
    if let Err(message) = arguments.messages.iter().try_for_each(|text| check(text)) {
        complain(message);
        return ExitCode::from(2);
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain(message);
            ExitCode::FAILURE
        }
    }
}

struct Arguments {
    host: String,
    port: u16,
    messages: Vec<String>,
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let (host, port) = (&arguments.host, arguments.port);
    let address =
        resolve(host, port).map_err(|error| format!("cannot find the host {host}: {error}"))?;
    let mut server = TcpStream::connect(address)
        .map_err(|error| format!("cannot connect to {address}: {error}"))?;
    if arguments.messages.is_empty() {
        return io::stdin().lock().lines().try_for_each(|line| {
            let line = line.map_err(|error| format!("cannot read from stdin: {error}"))?;
            check(&line)?;
            say(&mut server, &line)
        });
    }
    arguments
        .messages
        .iter()
        .try_for_each(|text| say(&mut server, text))
}

/// Sends one message and prints the reply.
fn say(server: &mut TcpStream, text: &str) -> Result<(), String> {
    let reply = exchange(server, text).map_err(|error| format!("no whole reply: {error}"))?;
    print(&reply).map_err(|error| format!("cannot print the reply: {error}"))
}

/// Checks that a message can be sent, and returns the reason if it cannot.
fn check(text: &str) -> Result<(), String> {
    match text.len() {
        0..=framing::LONGEST => Ok(()),
        length => Err(format!(
            "a message of {length} bytes is too long: {} are possible",
            framing::LONGEST
        )),
    }
}

/// Sends one message and returns the reply. An end of the stream before the reply is an error.
fn exchange(server: &mut TcpStream, text: &str) -> io::Result<String> {
    framing::send(server, text)?;
    framing::receive(server)?.ok_or_else(|| ErrorKind::UnexpectedEof.into())
}

/// Prints the reply and one line end. `println!` would panic if stdout is closed.
fn print(reply: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{reply}")?;
    stdout.flush()
}

/// Returns the first IPv4 address of HOST, which is an address or a name.
fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let mut addresses = (host, port).to_socket_addrs()?;
    addresses
        .find(SocketAddr::is_ipv4)
        .ok_or_else(|| io::Error::other("it has no IPv4 address"))
}

/// Returns HOST, PORT and the messages, or `None` if the arguments are unusable.
fn arguments() -> Option<Arguments> {
    let mut words = env::args_os().skip(1).map(|word| word.into_string().ok());
    let host = words.next()??;
    let port = words.next()??.parse().ok()?;
    let messages = words.collect::<Option<Vec<String>>>()?;

    let is_host = !host.is_empty() && !host.starts_with('-');
    is_host.then_some(Arguments {
        host,
        port,
        messages,
    })
}

/// Prints a line on stderr, for errors.
fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
