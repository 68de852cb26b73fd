//! Prints the message that it was given, not the reply. The student took "an echo is the same as
//! the message" literally: the client reads the whole reply and ignores it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct Literal;

impl Client for Literal {
    fn exchange(&self, mut server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        server.write_all(message)?;
        let mut reply = vec![0; message.len()];
        server.read_exact(&mut reply)?;
        Ok(message.to_vec())
    }
}

fn main() -> ExitCode {
    client::main(Literal)
}
