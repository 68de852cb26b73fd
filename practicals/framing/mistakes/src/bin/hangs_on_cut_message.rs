//! Reads until the body is complete. After the end of the stream a read returns 0, again and again,
//! and the body is never complete.

use std::io;
use std::io::Read;
use std::net::TcpStream;
use std::process::ExitCode;

use framing_mistakes::Framing;
use framing_mistakes::server::{self, Plain};

#[derive(Default)]
struct Hopeful;

impl Framing for Hopeful {
    fn receive_body(&mut self, stream: &mut TcpStream, body: &mut [u8]) -> io::Result<()> {
        let mut there = 0;
        while there < body.len() {
            there += stream.read(&mut body[there..])?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main::<Hopeful>(Plain)
}
