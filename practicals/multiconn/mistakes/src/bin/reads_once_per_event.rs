//! Reads once for each event. mio tells of a change once, so what did not fit into the buffer is
//! not mentioned again: a message longer than 1024 bytes comes back in part, and the rest waits
//! until the client speaks again.

use std::io;
use std::process::ExitCode;

use mio::{Interest, Registry, Token};

use multiconn_mistakes::server::{self, Client, Server};

struct Once;

impl Server for Once {
    fn buffer(&self) -> usize {
        1024
    }

    /// Asks anew only where something is owed, so that the answer to a message is "writable", and
    /// later not at all.
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
