//! Correct, but unusual: it sends the header and the body in separate packets.

use std::io;
use std::io::Write;
use std::net::TcpStream;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct Apart;

impl Framing for Apart {
    fn send(&mut self, stream: &mut TcpStream, text: &str) -> io::Result<()> {
        let header = self.header(text);
        stream.write_all(&header)?;
        stream.write_all(text.as_bytes())
    }
}

fn main() -> ExitCode {
    server::main::<Apart>(Plain)
}
