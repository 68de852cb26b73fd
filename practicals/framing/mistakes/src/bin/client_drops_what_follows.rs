//! Reads into a large buffer, takes the reply at its beginning, and reads the next one into an
//! empty buffer.

use std::io;
use std::net::TcpStream;
use std::process::ExitCode;

use framing_mistakes::client::{self, Plain};
use framing_mistakes::{Framing, receive_buffered};

struct Wasteful;

impl Framing for Wasteful {
    fn receive(&mut self, stream: &mut TcpStream) -> io::Result<Option<String>> {
        let body = receive_buffered(stream, &mut Vec::new())?;
        body.map(|body| self.text(body)).transpose()
    }
}

fn main() -> ExitCode {
    client::main(Plain, Wasteful)
}
