//! Closes a client that sends quit. That was handy for tests by hand.

use std::io;
use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

struct Obedient;

impl Server for Obedient {
    fn take(&mut self, client: &mut Client, bytes: &[u8]) -> io::Result<()> {
        match bytes.trim_ascii_end() {
            b"q" | b"quit" | b"exit" => client.ended = true,
            _ => client.owed.extend(bytes),
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(Obedient)
}
