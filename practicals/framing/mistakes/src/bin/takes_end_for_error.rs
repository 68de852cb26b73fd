//! Reads every header with `read_exact`, so the normal end of a stream is an error, too.

use std::io;
use std::io::Read;
use std::net::TcpStream;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct Strict;

impl Framing for Strict {
    fn receive_header(&mut self, stream: &mut TcpStream) -> io::Result<Option<[u8; 2]>> {
        let mut header = [0; 2];
        stream.read_exact(&mut header)?;
        Ok(Some(header))
    }
}

fn main() -> ExitCode {
    server::main::<Strict>(Plain)
}
