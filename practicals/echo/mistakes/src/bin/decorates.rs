//! Answers in upper case. This proves to the student that the reply comes from the server, but it
//! is not an echo.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Loud;

impl Server for Loud {
    const BUFFER: usize = 1024;

    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        client.write_all(&bytes.to_ascii_uppercase())
    }
}

fn main() -> ExitCode {
    server::main(&Loud)
}
