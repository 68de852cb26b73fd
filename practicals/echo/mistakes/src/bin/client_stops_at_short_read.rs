//! Takes a read that does not fill its buffer for the end of the reply. The student learned that
//! more may follow a full buffer, and concluded that nothing follows a short read. If the reply
//! fills the last buffer exactly, the client waits for ever.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::client::{self, Client};

struct ShortReads;

impl Client for ShortReads {
    fn exchange(&self, mut server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        server.write_all(message)?;
        let mut reply = Vec::new();
        let mut buffer = [0; 16];
        while !message.is_empty() {
            let count = server.read(&mut buffer)?;
            reply.extend(&buffer[..count]);
            if count < buffer.len() {
                break;
            }
        }
        if reply.is_empty() && !message.is_empty() {
            return Err(io::Error::other("the server has closed"));
        }
        Ok(reply)
    }
}

fn main() -> ExitCode {
    client::main(ShortReads)
}
