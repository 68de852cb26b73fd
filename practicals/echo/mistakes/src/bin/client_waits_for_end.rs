//! Reads to the end of the stream without having ended its own. The server waits for the client to
//! close, and the client waits for the server. The student's own server closes after one reply, so
//! this worked.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct ToTheEnd;

impl Client for ToTheEnd {
    fn exchange(&self, mut server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        server.write_all(message)?;
        let mut reply = Vec::new();
        server.read_to_end(&mut reply)?;
        if reply.len() < message.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(reply)
    }
}

fn main() -> ExitCode {
    client::main(ToTheEnd)
}
