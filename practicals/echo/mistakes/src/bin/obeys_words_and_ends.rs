//! Ends when a client says SHUTDOWN, in upper or lower case. This spares the student a walk to the
//! other terminal, and lets any client end the server for all.

use std::io::{self, Write};
use std::net::TcpStream;
use std::process;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Obedient;

impl Server for Obedient {
    const BUFFER: usize = 64 * 1024;

    fn reply(&self, mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        if bytes.trim_ascii().eq_ignore_ascii_case(b"shutdown") {
            eprintln!("bye");
            process::exit(0);
        }
        client.write_all(bytes)
    }
}

fn main() -> ExitCode {
    server::main(&Obedient)
}
