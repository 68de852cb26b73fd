//! Accepts its clients, reads what they send, and never replies.

use std::io;
use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

struct Mute;

impl Server for Mute {
    fn take(&mut self, _client: &mut Client, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(Mute)
}
