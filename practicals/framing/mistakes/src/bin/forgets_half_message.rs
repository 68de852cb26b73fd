//! Reads until a message is complete, and answers all messages that are complete by then. It then
//! clears its buffer, and so loses the beginning of the message after them.

use std::collections::VecDeque;
use std::io;
use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct Forgetful {
    complete: VecDeque<Vec<u8>>,
}

impl Framing for Forgetful {
    fn receive(&mut self, stream: &mut TcpStream) -> io::Result<Option<String>> {
        let mut kept = Vec::new();
        let mut buffer = [0; 64 * 1024];
        while self.complete.is_empty() {
            match stream.read(&mut buffer)? {
                0 if kept.is_empty() => return Ok(None),
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => kept.extend(&buffer[..count]),
            }
            while let Some((header, rest)) = kept.split_first_chunk() {
                let length = self.length(*header)?;
                if rest.len() < length {
                    break;
                }
                self.complete.push_back(rest[..length].to_vec());
                kept.drain(..2 + length);
            }
        }
        let body = self.complete.pop_front();
        body.map(|body| self.text(body)).transpose()
    }
}

fn main() -> ExitCode {
    server::main::<Forgetful>(Plain)
}
