//! Sends a newline after each message, although the message has a header.

use std::io;
use std::io::Write;
use std::net::TcpStream;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::client::{self, Plain};

struct Lines;

impl Framing for Lines {
    fn send(&mut self, stream: &mut TcpStream, text: &str) -> io::Result<()> {
        let header = self.header(text);
        stream.write_all(&[&header, text.as_bytes(), b"\n"].concat())
    }
}

fn main() -> ExitCode {
    client::main(Plain, Lines)
}
