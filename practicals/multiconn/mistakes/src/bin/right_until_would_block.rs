//! Correct, but unusual: it asks for both events once, when the client comes, and never again,
//! because the selector is edge-triggered. So each turn goes on until `WouldBlock`.

use std::io;
use std::process::ExitCode;

use mio::{Interest, Registry, Token};

use multiconn_mistakes::server::{self, Client, Server};

struct Draining;

impl Server for Draining {
    fn turn(&mut self, client: &mut Client) -> io::Result<()> {
        loop {
            let before = (client.said, client.owed.len(), client.ended);
            self.read(client)?;
            self.write(client)?;
            if before == (client.said, client.owed.len(), client.ended) {
                return Ok(());
            }
        }
    }

    fn watch(&mut self, registry: &Registry, client: &mut Client, token: Token) -> io::Result<()> {
        if client.said > 0 && !std::mem::replace(&mut client.watched, true) {
            let both = Interest::READABLE | Interest::WRITABLE;
            registry.reregister(&mut client.stream, token, both)?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    server::main(Draining)
}
