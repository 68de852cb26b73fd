//! Correct, but unusual: it reads one byte at a time, and also writes the beginning of each message
//! byte by byte.

use std::io;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::client::{self, Plain};

struct Bytes;

impl Framing for Bytes {
    fn send(&mut self, stream: &mut TcpStream, text: &str) -> io::Result<()> {
        let header = self.header(text);
        let bytes = header.iter().chain(text.as_bytes());
        let mut few = bytes.clone().take(200);
        few.try_for_each(|byte| stream.write_all(&[*byte]))?;
        stream.write_all(&bytes.skip(200).copied().collect::<Vec<u8>>())
    }

    fn receive_body(&mut self, stream: &mut TcpStream, body: &mut [u8]) -> io::Result<()> {
        body.chunks_mut(1)
            .try_for_each(|byte| stream.read_exact(byte))
    }
}

fn main() -> ExitCode {
    client::main(Plain, Bytes)
}
