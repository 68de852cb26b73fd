//! Ends when a client closes without having sent anything. The student reads the first message
//! before the loop. If there is none, a function like C's `error(1, ...)` ends the process, not
//! only this conversation.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process;
use std::process::ExitCode;

use echo_mistakes::server::{self, Server};

struct Offended;

impl Server for Offended {
    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut buffer = [0; 8 * 1024];
        let mut count = client.read(&mut buffer)?;
        if count == 0 {
            die("no message received");
        }
        while count > 0 {
            client.write_all(&buffer[..count])?;
            count = client.read(&mut buffer)?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(&Offended)
}

fn die(message: &str) -> ! {
    eprintln!("error: {message}");
    process::exit(1)
}
