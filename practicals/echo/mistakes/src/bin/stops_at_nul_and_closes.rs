//! Takes a NUL byte for the end of the conversation: sends back the bytes before it, and closes.
//! The student's client is written in C and ends each message with a NUL.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct CString;

impl Server for CString {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut buffer = [0; 1000];
        loop {
            let count = client.read(&mut buffer)?;
            let message = &buffer[..count];
            if let Some(end) = message.iter().position(|byte| *byte == 0) {
                return client.write_all(&message[..end]);
            }
            if message.is_empty() {
                return Ok(());
            }
            client.write_all(message)?;
        }
    }
}

fn main() -> ExitCode {
    server::main(&CString)
}
