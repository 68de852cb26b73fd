//! Correct, but odd: half-closes after its message, reads to the end of the stream, and then
//! counts. The student looked for a sign of the end, and found one that TCP really has.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;

use echo_mistakes::client::{self, Client, send_while};

struct HalfClosing;

impl Client for HalfClosing {
    fn exchange(&self, server: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
        let send = |mut server: &TcpStream| {
            server.write_all(message)?;
            server.shutdown(Shutdown::Write)
        };
        let mut reply = Vec::new();
        send_while(server, send, |mut server| server.read_to_end(&mut reply))?;
        if reply.len() != message.len() {
            let counts = format!("{} bytes came for {}", reply.len(), message.len());
            return Err(io::Error::other(counts));
        }
        Ok(reply)
    }
}

fn main() -> ExitCode {
    client::main(HalfClosing)
}
