//! Uses one read for the body, and takes what it returns for all of it.

use std::io;
use std::io::Read;
use std::net::TcpStream;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct OneRead;

impl Framing for OneRead {
    fn receive(&mut self, stream: &mut TcpStream) -> io::Result<Option<String>> {
        let Some(header) = self.receive_header(stream)? else {
            return Ok(None);
        };
        let mut body = vec![0; self.length(header)?];
        if !body.is_empty() {
            let count = stream.read(&mut body)?;
            body.truncate(count);
        }
        self.text(body).map(Some)
    }
}

fn main() -> ExitCode {
    server::main::<OneRead>(Plain)
}
