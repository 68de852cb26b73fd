//! Correct, but odd: writes very much to stderr, before, during and after the exchange. The
//! contract leaves stderr to the program. A student who looks for a bug prints everything there.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::client::{self, Client, send_while};

struct Chatty;

impl Client for Chatty {
    fn exchange(&self, server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        chat("sending", message);
        let send = |mut server: &TcpStream| server.write_all(message);
        let reply = send_while(server, send, |server| receive(server, message.len()));
        chat("closing after", &reply);
        match reply.len() {
            count if count < message.len() => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(reply),
        }
    }
}

fn main() -> ExitCode {
    client::main(Chatty)
}

/// Returns what arrives before the end of the stream, or before an error.
fn receive(mut server: &TcpStream, size: usize) -> Vec<u8> {
    let (mut reply, mut buffer) = (Vec::new(), [0; 1024]);
    while reply.len() < size {
        let most = buffer.len().min(size - reply.len());
        let count = server.read(&mut buffer[..most]).unwrap_or(0);
        chat("received", &buffer[..count]);
        reply.extend(&buffer[..count]);
        if count == 0 {
            break;
        }
    }
    reply
}

/// Logs the bytes as text and as numbers, with a ruler to count them.
fn chat(what: &str, bytes: &[u8]) {
    let (size, text, ruler) = (bytes.len(), bytes.escape_ascii(), "----+----|".repeat(1000));
    let _ = writeln!(
        io::stderr(),
        "{what} {size} bytes\n{text}\n{bytes:?}\n{ruler}"
    );
}
