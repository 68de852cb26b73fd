//! Calls `poll` with a timeout of 0 while it owes bytes to any client, in order not to miss the
//! moment for a write. One client that does not read keeps a processor busy.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use mio::Token;

use multiconn_mistakes::server::{self, Client, Server};

struct Eager;

impl Server for Eager {
    fn timeout(
        &self,
        clients: &HashMap<Token, Client>,
        idle: Option<Duration>,
    ) -> Option<Duration> {
        let is_owed = clients.values().any(|client| !client.owed.is_empty());
        if is_owed { Some(Duration::ZERO) } else { idle }
    }
}

fn main() -> ExitCode {
    server::main(Eager)
}
