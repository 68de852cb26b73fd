//! Reads until what has come equals its message. With a true echo that is the whole reply; other bytes
//! never are.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct Comparing;

impl Client for Comparing {
    fn exchange(&self, mut server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        server.write_all(message)?;
        let mut reply = Vec::new();
        let mut buffer = [0; 1024];
        while reply != message {
            match server.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => reply.extend_from_slice(&buffer[..count]),
            }
        }
        Ok(reply)
    }
}

fn main() -> ExitCode {
    client::main(Comparing)
}
