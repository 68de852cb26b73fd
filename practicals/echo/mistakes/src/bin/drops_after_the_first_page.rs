//! Answers with the first 4096 bytes of each read and loses the rest. The student reads into a
//! large buffer, and remembers that a reply has to be cut to the size of a page.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct FirstPage;

impl Server for FirstPage {
    const BUFFER: usize = 1024 * 1024;

    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        client.write_all(&bytes[..bytes.len().min(4096)])
    }
}

fn main() -> ExitCode {
    server::main(&FirstPage)
}
