//! Writes into a buffer and does not flush it. The replies go out when the buffer holds 64 KiB, or
//! when the conversation ends. The student has read that writing without a buffer is slow.

use std::io::{self, BufWriter, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Buffered;

impl Server for Buffered {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut replies = BufWriter::with_capacity(64 * 1024, client);
        let mut buffer = [0; 1024];
        loop {
            let count = client.read(&mut buffer)?;
            if count == 0 {
                return replies.flush();
            }
            replies.write_all(&buffer[..count])?;
        }
    }
}

fn main() -> ExitCode {
    server::main(&Buffered)
}
