//! A correct client, as a trait of steps.

use std::io::{self, BufRead, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;

use crate::{Framing, LONGEST};

pub const USAGE: &str = "usage: framed_client HOST PORT [MESSAGE]...";

/// The steps of a client. Each default is correct.
pub trait Client {
    fn is_too_long(&self, text: &str) -> bool {
        text.len() > LONGEST
    }

    /// Returns the message in a typed line, which still has its line end.
    fn line(&self, line: &str) -> String {
        let line = line.strip_suffix('\n').unwrap_or(line);
        line.strip_suffix('\r').unwrap_or(line).to_owned()
    }

    /// Sends all messages of the command line, and prints the replies.
    fn converse(
        &self,
        framing: &mut impl Framing,
        server: &mut TcpStream,
        messages: &[String],
    ) -> io::Result<()> {
        for message in messages {
            self.exchange(framing, server, message)?;
        }
        Ok(())
    }

    fn exchange(
        &self,
        framing: &mut impl Framing,
        server: &mut TcpStream,
        message: &str,
    ) -> io::Result<()> {
        framing.send(server, message)?;
        let reply = framing.receive(server)?.ok_or(ErrorKind::UnexpectedEof)?;
        self.print(message, &reply)
    }

    fn print(&self, _message: &str, reply: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{reply}")
    }

    fn fails(&self, error: io::Error) -> ExitCode {
        eprintln!("no whole reply: {error}");
        ExitCode::FAILURE
    }
}

/// A client that differs only in its framing.
pub struct Plain;

impl Client for Plain {}

/// Runs the program.
pub fn main(client: impl Client, mut framing: impl Framing) -> ExitCode {
    let Some((address, messages)) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    if messages.iter().any(|message| client.is_too_long(message)) {
        eprintln!("a message is too long: {LONGEST} bytes are possible");
        return ExitCode::from(2);
    }
    match run(&client, &mut framing, address, &messages) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => client.fails(error),
    }
}

fn run(
    client: &impl Client,
    framing: &mut impl Framing,
    address: SocketAddr,
    messages: &[String],
) -> io::Result<()> {
    let mut server = TcpStream::connect(address)?;
    if !messages.is_empty() {
        return client.converse(framing, &mut server, messages);
    }
    let mut line = String::new();
    while io::stdin().lock().read_line(&mut line)? > 0 {
        client.exchange(framing, &mut server, &client.line(&line))?;
        line.clear();
    }
    Ok(())
}

fn arguments() -> Option<(SocketAddr, Vec<String>)> {
    let mut words = std::env::args().skip(1);
    let host = words.next()?.parse().ok()?;
    let port = words.next()?.parse().ok()?;
    Some((SocketAddr::new(host, port), words.collect()))
}
