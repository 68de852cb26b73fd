//! Sends a newline that is not in the message, and removes it from the reply. The student tried the
//! client with a server that answers line by line, and has taken a message for a line since then.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct Lines;

impl Client for Lines {
    fn exchange(&self, mut server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        let line = [message, b"\n"].concat();
        server.write_all(&line)?;
        let mut reply = vec![0; line.len()];
        server.read_exact(&mut reply)?;
        reply.pop();
        Ok(reply)
    }
}

fn main() -> ExitCode {
    client::main(Lines)
}
