//! Takes the first NUL byte for the end of the message. In C, `strlen` measures a string, so the
//! student searches the buffer for the end instead of using the count that the read returned.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct CString;

impl Server for CString {
    const BUFFER: usize = 1024;

    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        let length = bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(bytes.len());
        client.write_all(&bytes[..length])
    }
}

fn main() -> ExitCode {
    server::main(&CString)
}
