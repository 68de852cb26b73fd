//! Reads once, replies once and closes. With a client that sends one short message this looks
//! finished. But a conversation goes on, and a message may need more than one read.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Once;

impl Server for Once {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut buffer = [0; 1024];
        let count = client.read(&mut buffer)?;
        client.write_all(&buffer[..count])
    }
}

fn main() -> ExitCode {
    server::main(&Once)
}
