//! Reads and logs every message and never replies. The log looks as if the server were finished,
//! but step 7 is only half done.

use std::io;
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Mute;

impl Server for Mute {
    const BUFFER: usize = 1024;

    fn reply(&self, _client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        eprintln!("received {} bytes", bytes.len());
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(&Mute)
}
