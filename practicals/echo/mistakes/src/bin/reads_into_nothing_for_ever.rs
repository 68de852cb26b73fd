//! Reads into a vector that has no elements, and takes a read of 0 bytes for nothing: it reads again,
//! without an end. Nobody gets a reply, and a processor is busy with that.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct NoRoom;

impl Server for NoRoom {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut buffer = Vec::new();
        loop {
            let count = client.read(&mut buffer)?;
            client.write_all(&buffer[..count])?;
        }
    }
}

fn main() -> ExitCode {
    server::main(&NoRoom)
}
