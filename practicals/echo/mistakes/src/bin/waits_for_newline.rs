//! Replies line by line. In a trial by hand with netcat each message ends in a newline, because
//! Enter sends it. A message without a newline never gets a reply.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Lines;

impl Server for Lines {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(client);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            client.write_all(&line)?;
            line.clear();
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(&Lines)
}
