//! Answers with the part that fits into its buffer and discards the rest of a longer message. The
//! student believes that a message has at most 1024 bytes. The rest would be taken for the next
//! message, so the server reads it away.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct OneBuffer;

impl Server for OneBuffer {
    const BUFFER: usize = 1024;

    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() == Self::BUFFER {
            discard_the_rest(client)?;
        }
        client.write_all(bytes)
    }
}

fn main() -> ExitCode {
    server::main(&OneBuffer)
}

/// Reads what has already arrived. The client sends its next message only after the reply.
fn discard_the_rest(mut client: &TcpStream) -> io::Result<()> {
    let mut rest = [0; 1024];
    client.set_nonblocking(true)?;
    while matches!(client.read(&mut rest), Ok(1..)) {}
    client.set_nonblocking(false)
}
