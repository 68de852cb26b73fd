//! Decodes what it reads as UTF-8. Only the log line needs text, but a client loses its connection
//! if its bytes are not UTF-8, or if a read cuts a character in two.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Text;

impl Server for Text {
    const BUFFER: usize = 1024;

    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        let text = str::from_utf8(bytes).map_err(io::Error::other)?;
        eprintln!("received {text:.40}");
        client.write_all(bytes)
    }
}

fn main() -> ExitCode {
    server::main(&Text)
}
