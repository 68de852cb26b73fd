//! Reads once for each event. mio reports a change once, so it does not report again what did not
//! fit into the buffer. A message longer than 1024 bytes comes back in part, and the rest waits
//! until the client sends again.

use std::io;
use std::process::ExitCode;

use mio::{Interest, Registry, Token};

use multiconn_mistakes::server::{self, Client, Server};

struct Once;

impl Server for Once {
    fn buffer(&self) -> usize {
        1024
    }

    /// Registers again only while it owes bytes. Otherwise the selector does not report the bytes
    /// that are left to read.
    fn watch(&mut self, registry: &Registry, client: &mut Client, token: Token) -> io::Result<()> {
        let is_owed = !client.owed.is_empty();
        let interest = Interest::READABLE | Interest::WRITABLE;
        if is_owed {
            registry.reregister(&mut client.stream, token, interest)?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(Once)
}
