//! Reads once, and prints what that read returned. The student has a large buffer, short messages
//! and one machine, where every reply has arrived in one piece so far.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct Once;

impl Client for Once {
    fn exchange(&self, mut server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        server.write_all(message)?;
        if message.is_empty() {
            return Ok(Vec::new());
        }
        let mut buffer = vec![0; 64 * 1024];
        match server.read(&mut buffer)? {
            0 => Err(io::Error::other("the server has closed")),
            count => Ok(buffer[..count].to_vec()),
        }
    }
}

fn main() -> ExitCode {
    client::main(Once)
}
