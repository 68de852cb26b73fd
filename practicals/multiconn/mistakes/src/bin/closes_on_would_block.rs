//! Reads until an error comes, as the documentation says, and treats all errors alike. But
//! `WouldBlock` only says that nothing has arrived yet: it closes the client after its first
//! message.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

struct Strict;

impl Server for Strict {
    fn read(&mut self, client: &mut Client) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            let count = client.stream.read(&mut buffer)?;
            if count == 0 {
                client.ended = true;
                return Ok(());
            }
            client.stream.write_all(&buffer[..count])?;
        }
    }
}

fn main() -> ExitCode {
    server::main(Strict)
}
