//! Takes the end of the stream for the end of the reply. It prints whatever has arrived and reports
//! success. It reports errors, but does not count an incomplete reply as one.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct Trusting;

impl Client for Trusting {
    fn exchange(&self, mut server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        server.write_all(message)?;
        let mut reply = Vec::new();
        server.take(message.len() as u64).read_to_end(&mut reply)?;
        Ok(reply)
    }
}

fn main() -> ExitCode {
    client::main(Trusting)
}
