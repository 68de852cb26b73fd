//! Reads 16 bytes at a time until a read returns fewer. It half-closes after its message, so a
//! reply of 16 bytes does not hang it. But a read may be short although more is to come.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct ShortReads;

impl Client for ShortReads {
    fn exchange(&self, mut server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        server.write_all(message)?;
        server.shutdown(Shutdown::Write)?;
        let mut reply = Vec::new();
        let mut piece = [0; 16];
        loop {
            let count = server.read(&mut piece)?;
            reply.extend(&piece[..count]);
            if count < piece.len() {
                return Ok(reply);
            }
        }
    }
}

fn main() -> ExitCode {
    client::main(ShortReads)
}
