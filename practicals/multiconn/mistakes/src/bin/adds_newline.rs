//! Ends each reply with a newline, so that it looks nice in a terminal.

use std::io;
use std::process::ExitCode;

use multiconn_mistakes::server::{self, Client, Server};

struct Tidy;

impl Server for Tidy {
    fn take(&mut self, client: &mut Client, bytes: &[u8]) -> io::Result<()> {
        client.owed.extend(bytes);
        client.owed.push_back(b'\n');
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(Tidy)
}
