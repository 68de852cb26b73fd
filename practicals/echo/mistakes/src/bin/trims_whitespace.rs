//! Trims what it received. The newline of a typed message looks ugly in the log, but trimming also
//! removes blanks and line ends that belong to the message.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Trimming;

impl Server for Trimming {
    const BUFFER: usize = 1024;

    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        client.write_all(bytes.trim_ascii())
    }
}

fn main() -> ExitCode {
    server::main(&Trimming)
}
