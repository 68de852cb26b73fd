//! Ends each reply with a newline, which the client did not send. On a terminal each reply then has
//! a line to itself, as with `println!`.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Tidy;

impl Server for Tidy {
    const BUFFER: usize = 1024;

    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        client.write_all(&[bytes, b"\n"].concat())
    }
}

fn main() -> ExitCode {
    server::main(&Tidy)
}
