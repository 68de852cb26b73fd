//! Removes the line end from each message, because the student's tool sends one after every line.
//! Blanks stay. A message that is only a line end gets no answer.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Lines;

impl Server for Lines {
    const BUFFER: usize = 16 * 1024;

    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        client.write_all(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

fn main() -> ExitCode {
    server::main(&Lines)
}
