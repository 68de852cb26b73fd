//! Reads into a vector that has no elements. The read returns 0 at once, and the server takes that
//! for the end of the stream. `Vec::with_capacity` makes space, but no elements either.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct NoRoom;

impl Server for NoRoom {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(1024);
        loop {
            let count = client.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            client.write_all(&buffer[..count])?;
        }
    }
}

fn main() -> ExitCode {
    server::main(&NoRoom)
}
