//! Takes a read that does not fill its buffer for the end of the conversation, and closes. It also serves
//! one client after another, takes bytes for text in its log, and ends when a client is lost.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::{self, ExitCode};

use echo_mistakes::server::{self, Server};

struct Short;

impl Server for Short {
    fn start(&'static self, client: TcpStream) {
        if let Err(error) = self.converse(&client) {
            self.lost(&error);
        }
    }

    fn converse(&self, mut client: &TcpStream) -> io::Result<()> {
        let mut buffer = [0; 1000];
        loop {
            let count = client.read(&mut buffer)?;
            let text = str::from_utf8(&buffer[..count]).map_err(io::Error::other)?;
            eprintln!("received {text}");
            client.write_all(&buffer[..count])?;
            if count < buffer.len() {
                return Ok(());
            }
        }
    }

    fn lost(&self, error: &io::Error) {
        eprintln!("error: {error}");
        process::exit(1);
    }
}

fn main() -> ExitCode {
    server::main(&Short)
}
