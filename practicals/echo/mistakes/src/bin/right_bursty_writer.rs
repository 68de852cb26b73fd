//! Correct, but odd: sends each reply in several small writes, of 1, 2, 4 and more bytes. A student
//! writes this to see whether the client copes with a reply in pieces.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server, echo};

struct Bursty;

impl Server for Bursty {
    fn converse(&self, client: &TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        echo(self, client)
    }

    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        let (mut rest, mut size) = (bytes, 1);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(size.min(rest.len()));
            client.write_all(now)?;
            (rest, size) = (later, size * 2);
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(&Bursty)
}
