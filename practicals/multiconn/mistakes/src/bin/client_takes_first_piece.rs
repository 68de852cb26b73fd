//! Does not count: takes the first bytes that come back on a connection for the whole reply.

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
