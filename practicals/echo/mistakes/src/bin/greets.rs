//! Sends a welcome before the client has said a word, as chat and mail servers do. A client that
//! waits for its echo takes the welcome for the reply.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server, echo};

struct Polite;

impl Server for Polite {
    const BUFFER: usize = 1024;

    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        client.write_all(b"Welcome to the echo server!\n")?;
        echo(self, client)
    }
}

fn main() -> ExitCode {
    server::main(&Polite)
}
