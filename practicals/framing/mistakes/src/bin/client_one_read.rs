//! Uses one read for the header and one for the body, and takes what they return for all of it.

use std::io;
use std::io::Read;
use std::net::TcpStream;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::client::{self, Plain};

struct OneRead;

impl Framing for OneRead {
    fn receive(&mut self, stream: &mut TcpStream) -> io::Result<Option<String>> {
        let mut header = [0; 2];
        if stream.read(&mut header)? == 0 {
            return Ok(None);
        }
        let mut body = vec![0; self.length(header)?];
        let count = match body.len() {
            0 => 0,
            _ => stream.read(&mut body)?,
        };
        if count == 0 && !body.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        body.truncate(count);
        self.text(body).map(Some)
    }
}

fn main() -> ExitCode {
    client::main(Plain, OneRead)
}
