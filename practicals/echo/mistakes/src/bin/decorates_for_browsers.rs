//! Writes `&lt;` for `<`, and also escapes the two other characters that mean something to a
//! browser. The student has been told to escape whatever users send.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Escaping;

impl Server for Escaping {
    const BUFFER: usize = 4096;

    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        client.write_all(&escaped(bytes))
    }
}

fn main() -> ExitCode {
    server::main(&Escaping)
}

fn escaped(message: &[u8]) -> Vec<u8> {
    let mut safe = Vec::with_capacity(message.len());
    for byte in message {
        match byte {
            b'<' => safe.extend(b"&lt;"),
            b'>' => safe.extend(b"&gt;"),
            b'&' => safe.extend(b"&amp;"),
            other => safe.push(*other),
        }
    }
    safe
}
