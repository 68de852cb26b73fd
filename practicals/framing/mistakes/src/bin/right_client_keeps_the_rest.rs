//! Correct, but unusual: it reads as much as has arrived, and keeps the rest for the next reply.

use std::io;
use std::net::TcpStream;
use std::process::ExitCode;

use framing_mistakes::client::{self, Plain};
use framing_mistakes::{Framing, receive_buffered};

/// The bytes read beyond the last message.
#[derive(Default)]
struct Keeping {
    kept: Vec<u8>,
}

impl Framing for Keeping {
    fn receive(&mut self, stream: &mut TcpStream) -> io::Result<Option<String>> {
        let body = receive_buffered(stream, &mut self.kept)?;
        body.map(|body| self.text(body)).transpose()
    }
}

fn main() -> ExitCode {
    client::main(Plain, Keeping::default())
}
