//! Sends its whole buffer, not the part that the read filled. On a terminal the NULs after the
//! message are invisible, and so is the rest of an earlier message, while each message is longer
//! than the last.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct WholeBuffer;

impl Server for WholeBuffer {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut buffer = [0; 1024];
        while client.read(&mut buffer)? > 0 {
            client.write_all(&buffer)?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(&WholeBuffer)
}
