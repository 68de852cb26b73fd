//! Was afraid to miss the moment in which a slow client can be written to: while anybody is owed
//! something, `poll` is told not to wait. One client that does not read keeps a processor busy.

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
