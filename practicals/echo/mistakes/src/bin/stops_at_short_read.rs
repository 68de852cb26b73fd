//! Takes a read that does not fill the buffer for the end of the message, and answers only then.
//! The student believes that a read is full while more is to come. A message of 1024 bytes, or a
//! multiple, fills every read: the server waits for a rest that does not exist, and the client for
//! its reply.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct FullBuffers;

impl Server for FullBuffers {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut buffer = [0; 1024];
        loop {
            let mut message = Vec::new();
            let last = loop {
                let count = client.read(&mut buffer)?;
                message.extend(&buffer[..count]);
                if count < buffer.len() {
                    break count;
                }
            };
            client.write_all(&message)?;
            if last == 0 {
                return Ok(());
            }
        }
    }
}

fn main() -> ExitCode {
    server::main(&FullBuffers)
}
