//! Waits 1.2 s before each reply, to let "the rest of the message" arrive. A trial by hand is never
//! that fast, so it looks finished.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use echo_mistakes::server::{self, Server};

struct Late;

impl Server for Late {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            let count = client.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(1200));
            client.write_all(&buffer[..count])?;
        }
    }
}

fn main() -> ExitCode {
    server::main(&Late)
}
