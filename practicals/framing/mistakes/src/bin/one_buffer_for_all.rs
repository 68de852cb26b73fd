//! Has one buffer for all clients, in which a body grows until it is complete. Another client's
//! body may overwrite an incomplete one.

use std::io;
use std::io::Read;
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Mutex;

use framing_mistakes::server::{self, Plain};
use framing_mistakes::{Framing, LONGEST};

static BUFFER: Mutex<[u8; LONGEST]> = Mutex::new([0; LONGEST]);

#[derive(Default)]
struct Shared;

impl Framing for Shared {
    fn receive_body(&mut self, stream: &mut TcpStream, body: &mut [u8]) -> io::Result<()> {
        let mut there = 0;
        while there < body.len() {
            let mut piece = vec![0; body.len() - there];
            let count = stream.read(&mut piece)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut buffer = BUFFER.lock().expect("nobody panics with it");
            buffer[there..there + count].copy_from_slice(&piece[..count]);
            there += count;
            body.copy_from_slice(&buffer[..body.len()]);
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main::<Shared>(Plain)
}
