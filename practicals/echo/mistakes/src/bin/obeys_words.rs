//! Closes the connection when a client says `q`, `quit` or `exit`. This is handy when a person
//! tries the server by hand, but for a client these are messages like any other.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Obedient;

impl Server for Obedient {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut buffer = [0; 1024];
        loop {
            let count = client.read(&mut buffer)?;
            let message = &buffer[..count];
            if message.is_empty() || matches!(message.trim_ascii_end(), b"q" | b"quit" | b"exit") {
                return Ok(());
            }
            client.write_all(message)?;
        }
    }
}

fn main() -> ExitCode {
    server::main(&Obedient)
}
