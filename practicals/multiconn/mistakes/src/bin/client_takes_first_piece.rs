//! Does not count: when something has come back on a connection, that was the reply.

use std::process::ExitCode;

use multiconn_mistakes::client::{self, Client, Connection};

struct Trusting;

impl Client for Trusting {
    fn is_whole(&self, connection: &Connection) -> bool {
        connection.received > 0
    }
}

fn main() -> ExitCode {
    client::main(Trusting)
}
