//! Reads the header with one call, which may return one byte. The other byte stays 0.

use std::io;
use std::io::Read;
use std::net::TcpStream;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct OneRead;

impl Framing for OneRead {
    fn receive_header(&mut self, stream: &mut TcpStream) -> io::Result<Option<[u8; 2]>> {
        let mut header = [0; 2];
        let count = stream.read(&mut header)?;
        Ok((count > 0).then_some(header))
    }
}

fn main() -> ExitCode {
    server::main::<OneRead>(Plain)
}
