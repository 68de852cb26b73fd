//! Closes once a client has sent a mebibyte, although part of the echo is still to be sent. The
//! student worries about clients that never stop, and takes a large message for such a client.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

const MOST: usize = 1024 * 1024;

struct Limited;

impl Server for Limited {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        let mut received = 0;
        loop {
            let count = client.read(&mut buffer)?;
            received += count;
            if count == 0 || received > MOST {
                return Ok(());
            }
            client.write_all(&buffer[..count])?;
        }
    }
}

fn main() -> ExitCode {
    server::main(&Limited)
}
