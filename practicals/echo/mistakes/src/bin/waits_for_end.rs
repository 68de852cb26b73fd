//! Replies only after the client's half-close. `read_to_end` reads the whole message, however long
//! it is. But the end of a stream is not the end of a message: a client that waits for its reply
//! does not end its stream.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct ToTheEnd;

impl Server for ToTheEnd {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut message = Vec::new();
        client.read_to_end(&mut message)?;
        client.write_all(&message)
    }
}

fn main() -> ExitCode {
    server::main(&ToTheEnd)
}
